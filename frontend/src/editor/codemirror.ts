/** The editor itself, loaded on its own so that the map does not wait for it. */
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap } from '@codemirror/autocomplete';
import { defaultKeymap, history, historyKeymap, indentWithTab } from '@codemirror/commands';
import { bracketMatching, foldGutter, foldKeymap, indentOnInput, indentUnit } from '@codemirror/language';
import { linter, lintGutter, lintKeymap } from '@codemirror/lint';
import { highlightSelectionMatches, searchKeymap } from '@codemirror/search';
import { EditorState, StateEffect } from '@codemirror/state';
import { drawSelection, EditorView, highlightActiveLine, keymap, lineNumbers } from '@codemirror/view';
import { complete, hover } from './completion';
import { looks } from './look';
import { schemaOf } from './schema';
import { problems, type Problem } from './validate';

export interface Hooks {
  changed(text: string): void;
  /** Ctrl-Enter. */
  apply(): void;
  problems(found: Problem[]): void;
  cursor(offset: number): void;
}

export interface Handle {
  set(text: string): void;
  /** What the server said of fields: shown until the text changes. */
  told(found: Problem[]): void;
  goto(offset: number): void;
  focus(): void;
  destroy(): void;
}

/** Look again although nothing was typed: the server has said something. */
const again = StateEffect.define<null>();

export function create(parent: HTMLElement, text: string, hooks: Hooks): Handle {
  let told: Problem[] = [];
  const lint = linter(
    async (view) => {
      const document = view.state.doc.toString();
      const found = [...(await problems(document, schemaOf)), ...told].sort((a, b) => a.from - b.from);
      hooks.problems(found);
      return found.map(({ from, to, severity, message, server }) => ({ from, to: Math.min(Math.max(to, from), view.state.doc.length), severity, message, source: server ? 'API server' : undefined }));
    },
    { delay: 350, needsRefresh: (update) => update.transactions.some((one) => one.effects.some((effect) => effect.is(again))) },
  );
  const view = new EditorView({
    parent,
    state: EditorState.create({
      doc: text,
      extensions: [
        keymap.of([{ key: 'Mod-Enter', run: () => (hooks.apply(), true) }]),
        lineNumbers(),
        foldGutter(),
        lintGutter(),
        history(),
        drawSelection(),
        // One name in a skeleton is written at all its places at once.
        EditorState.allowMultipleSelections.of(true),
        indentOnInput(),
        indentUnit.of('  '),
        bracketMatching(),
        closeBrackets(),
        autocompletion({ override: [complete], icons: false, maxRenderedOptions: 80 }),
        hover,
        lint,
        highlightActiveLine(),
        highlightSelectionMatches(),
        looks,
        keymap.of([...closeBracketsKeymap, ...completionKeymap, ...defaultKeymap.filter((one) => one.key !== 'Ctrl-k' && one.mac !== 'Ctrl-k'), ...searchKeymap, ...historyKeymap, ...foldKeymap, ...lintKeymap, indentWithTab]),
        EditorView.contentAttributes.of({ 'aria-label': 'manifest', 'aria-multiline': 'true', tabindex: '0' }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) {
            told = [];
            hooks.changed(update.state.doc.toString());
          }
          if (update.selectionSet || update.docChanged) hooks.cursor(update.state.selection.main.head);
        }),
      ],
    }),
  });
  return {
    set: (value) => {
      if (value !== view.state.doc.toString()) view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: value } });
    },
    told: (found) => {
      told = found;
      view.dispatch({ effects: again.of(null) });
    },
    goto: (offset) => {
      const anchor = Math.min(offset, view.state.doc.length);
      view.dispatch({ selection: { anchor }, effects: EditorView.scrollIntoView(anchor, { y: 'center' }) });
      view.focus();
    },
    focus: () => view.focus(),
    destroy: () => view.destroy(),
  };
}
