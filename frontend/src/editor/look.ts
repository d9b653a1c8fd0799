/** How CodeMirror looks: the page's tokens and nothing else. Shared by the editor and its diff. */
import { yaml } from '@codemirror/lang-yaml';
import { HighlightStyle, syntaxHighlighting } from '@codemirror/language';
import type { Extension } from '@codemirror/state';
import { EditorView } from '@codemirror/view';
import { tags } from '@lezer/highlight';

const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: 'var(--teal-text)' },
  { tag: [tags.number, tags.bool], color: 'var(--violet-text)' },
  { tag: tags.comment, color: 'var(--soft)', fontStyle: 'italic' },
  { tag: [tags.meta, tags.separator, tags.punctuation], color: 'var(--soft)' },
]);

const theme = EditorView.theme({
  '&': { height: '100%', fontSize: '12px', background: 'transparent', color: 'var(--ink)' },
  '&.cm-focused': { outline: 'none' },
  '.cm-scroller': { fontFamily: 'var(--mono)', lineHeight: '1.6' },
  '.cm-gutters': { background: 'transparent', border: 'none', color: 'var(--soft)' },
  '.cm-gutter-lint': { width: '12px' },
  '.cm-gutter-lint .cm-gutterElement': { padding: '0' },
  '.cm-lint-marker': { width: '9px', height: '9px', content: '""', borderRadius: '50%', background: 'var(--blue)', marginTop: '5px' },
  '.cm-lint-marker-error': { background: 'var(--red)', borderRadius: '1px', transform: 'rotate(45deg)' },
  '.cm-lint-marker-warning': { background: 'var(--amber)', borderRadius: '1px' },
  '.cm-lintRange-error': { backgroundImage: 'none', textDecoration: 'underline wavy var(--red) 1px', textUnderlineOffset: '3px' },
  '.cm-lintRange-warning': { backgroundImage: 'none', textDecoration: 'underline wavy var(--amber) 1px', textUnderlineOffset: '3px' },
  '.cm-lintRange-info': { backgroundImage: 'none', textDecoration: 'underline dotted var(--blue) 1.5px', textUnderlineOffset: '3px' },
  '.cm-content': { caretColor: 'var(--ink)' },
  '.cm-cursor': { borderLeftColor: 'var(--ink)' },
  '.cm-activeLine': { background: 'color-mix(in srgb, var(--ink) 4%, transparent)' },
  '.cm-activeLineGutter': { background: 'transparent', color: 'var(--ink)' },
  '.cm-selectionBackground, &.cm-focused .cm-selectionBackground': { background: 'color-mix(in srgb, var(--blue) 28%, transparent) !important' },
  '.cm-tooltip': { background: 'var(--card)', color: 'var(--ink)', border: '1px solid var(--line)', borderRadius: 'var(--round-s)', boxShadow: 'var(--high)', overflow: 'hidden', maxWidth: 'min(460px, 92vw)' },
  '.cm-tooltip-autocomplete > ul': { fontFamily: 'var(--mono)', fontSize: '12px', maxHeight: '17em' },
  '.cm-tooltip-autocomplete > ul > li': { padding: '3px 10px 3px 6px', display: 'flex', gap: '10px' },
  '.cm-tooltip-autocomplete > ul > li[aria-selected]': { background: 'var(--well)', color: 'var(--ink)' },
  '.cm-completionDetail': { marginLeft: 'auto', color: 'var(--soft)', fontStyle: 'normal' },
  '.cm-completionMatchedText': { textDecoration: 'none', fontWeight: '700' },
  '.cm-completionIcon': { color: 'var(--soft)', width: '1em' },
  '.cm-completionInfo': { padding: '10px 12px', maxWidth: '340px' },
  '.cm-documentation': { padding: '10px 12px', font: '400 13px/1.45 var(--sans)', maxHeight: '300px', overflow: 'auto', display: 'grid', gap: '6px' },
  '.cm-completionInfo .cm-documentation': { padding: '0' },
  '.cm-documentation p': { margin: '0', whiteSpace: 'pre-line' },
  '.cm-documentation code': { color: 'var(--teal-text)' },
  '.cm-diagnostic': { borderLeft: '3px solid var(--blue)', padding: '5px 10px', font: '400 13px/1.4 var(--sans)' },
  '.cm-diagnostic-error': { borderColor: 'var(--red)' },
  '.cm-diagnostic-warning': { borderColor: 'var(--amber)' },
  '.cm-panels': { background: 'var(--card)', color: 'var(--ink)', borderColor: 'var(--line) !important' },
  '.cm-panel.cm-search': { padding: '8px 10px', font: '400 13px var(--sans)' },
  '.cm-panel.cm-search input, .cm-panel.cm-search button': { background: 'var(--well)', border: '0', borderRadius: '6px', color: 'var(--ink)', backgroundImage: 'none', padding: '4px 8px' },
  '.cm-searchMatch': { background: 'color-mix(in srgb, var(--amber) 35%, transparent)' },
  '.cm-foldPlaceholder': { background: 'var(--line)', border: '0', color: 'var(--soft)', padding: '0 6px' },
  '.cm-changedLine, .cm-insertedLine': { background: 'color-mix(in srgb, var(--green) 13%, transparent) !important' },
  '.cm-deletedChunk, .cm-deletedLine, &.cm-merge-a .cm-changedLine': { background: 'color-mix(in srgb, var(--red) 11%, transparent) !important' },
  '.cm-changedText': { background: 'color-mix(in srgb, var(--green) 26%, transparent) !important' },
  '.cm-deletedText, &.cm-merge-a .cm-changedText, .cm-deletedChunk .cm-deletedText': { background: 'color-mix(in srgb, var(--red) 24%, transparent) !important' },
  '.cm-collapsedLines': { background: 'var(--well)', color: 'var(--soft)', font: '400 12px var(--sans)', padding: '4px 12px' },
  '.cm-collapsedLines:before, .cm-collapsedLines:after': { content: '"⋯"', marginInline: '8px' },
});

export const looks: Extension = [yaml(), syntaxHighlighting(colours), theme];
