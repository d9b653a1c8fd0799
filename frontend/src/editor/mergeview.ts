/** The diff as CodeMirror draws it: one below the other, or side by side. Loaded when somebody looks. */
import { MergeView, unifiedMergeView } from '@codemirror/merge';
import { EditorState } from '@codemirror/state';
import { EditorView, lineNumbers } from '@codemirror/view';
import { looks } from './look';

const fixed = [EditorState.readOnly.of(true), EditorView.editable.of(false), lineNumbers(), looks, EditorView.contentAttributes.of({ 'aria-label': 'difference', tabindex: '0' })];
const collapse = { margin: 3, minSize: 6 };

export function show(parent: HTMLElement, before: string, after: string, side: boolean): () => void {
  if (side) {
    const view = new MergeView({ parent, a: { doc: before, extensions: fixed }, b: { doc: after, extensions: fixed }, collapseUnchanged: collapse });
    return () => view.destroy();
  }
  const view = new EditorView({ parent, doc: after, extensions: [...fixed, unifiedMergeView({ original: before, mergeControls: false, highlightChanges: before !== '', collapseUnchanged: collapse })] });
  return () => view.destroy();
}
