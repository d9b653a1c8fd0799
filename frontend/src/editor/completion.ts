/** Completion and documentation of the editor, from the server's schemas. */
import { snippetCompletion, type Completion, type CompletionContext, type CompletionResult } from '@codemirror/autocomplete';
import { hoverTooltip, type EditorView, type Tooltip } from '@codemirror/view';
import { get } from '../api/http';
import { keyAt, placeAt, type Place } from './place';
import { at, resolved, schemaOf, typeOf, valuesOf, type Rooted, type Schema, type Schemas } from './schema';
import { SKELETONS } from './skeletons';

interface Discovered {
  items: { metadata: { name?: string }; versions: { version: string; resources?: { responseKind?: { kind: string }; verbs: string[] }[] }[] }[];
}

const ACCEPT = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json';
let kinds: Promise<{ apiVersion: string; kind: string }[]> | null = null;

/** All kinds that can be created, with their group and version. */
function allKinds(): Promise<{ apiVersion: string; kind: string }[]> {
  kinds ??= Promise.all(['/api', '/apis'].map((path) => get<Discovered>(path, ACCEPT)))
    .then((found) =>
      found.flatMap((one) => one.items).flatMap((group) =>
        group.versions.flatMap(({ version, resources }) =>
          (resources ?? []).filter((one) => one.verbs.includes('create') && one.responseKind).map((one) => ({ apiVersion: group.metadata.name ? `${group.metadata.name}/${version}` : version, kind: one.responseKind!.kind })),
        ),
      ),
    );
  kinds.catch(() => (kinds = null));
  return kinds;
}

const PAD = '  ';

/** What follows a key: the fields that are required inside, with a place to write at the first of them. */
export function skeleton(given: Schema, all: Schemas, indent: string, depth = 0): string {
  const schema = resolved(given, all);
  if (schema.type === 'array') {
    const item = schema.items ? resolved(schema.items, all) : {};
    const inside = item.type === 'object' && item.required?.length ? required(item, all, `${indent}${PAD}`, depth + 1) : '';
    return `\n${indent}- ${inside}`;
  }
  if (schema.type === 'object' || schema.properties) {
    const inside = schema.required?.length ? required(schema, all, `${indent}${PAD}`, depth + 1) : '';
    return `\n${indent}${PAD}${inside}`;
  }
  return ' ';
}

function required(schema: Schema, all: Schemas, indent: string, depth: number): string {
  if (depth > 4) return '';
  return (schema.required ?? []).map((name) => `${name}:${skeleton(schema.properties?.[name] ?? {}, all, indent, depth)}`).join(`\n${indent}`);
}

/** A description as an element: the type first, then the words, then the values it may have. */
function documentation(name: string, schema: Schema, all: Schemas, needed: boolean): HTMLElement {
  const box = document.createElement('div');
  box.className = 'cm-documentation';
  const title = document.createElement('p');
  const word = document.createElement('b');
  word.textContent = name;
  const type = document.createElement('code');
  type.textContent = typeOf(schema, all);
  title.append(word, ' ', type, needed ? ' required' : '');
  const text = document.createElement('p');
  text.textContent = resolved(schema, all).description ?? 'No documentation.';
  box.append(title, text);
  const values = valuesOf(resolved(schema, all));
  if (values.length) {
    const list = document.createElement('p');
    list.append('One of ', ...values.flatMap((value, index) => {
      const code = document.createElement('code');
      code.textContent = value;
      return index ? [', ', code] : [code];
    }));
    box.append(list);
  }
  return box;
}

function keys(place: Place, rooted: Rooted, parent: Schema): Completion[] {
  const indent = ' '.repeat(place.indent);
  return Object.entries(parent.properties ?? {})
    .filter(([name]) => !place.siblings.includes(name) && !(place.path.length === 0 && name === 'status'))
    .map(([name, schema]) => {
      const needed = parent.required?.includes(name) ?? false;
      const inserted = `${name}:${skeleton(schema, rooted.all, indent)}`;
      return {
        label: name,
        type: 'property',
        detail: typeOf(schema, rooted.all) + (needed ? ', required' : ''),
        boost: needed ? 20 : place.path.length === 0 && name === 'spec' ? 10 : 0,
        info: () => documentation(name, schema, rooted.all, needed),
        apply: (view: EditorView, _: Completion, from: number, to: number) => {
          // The cursor goes to the first thing that is to be written.
          const hole = inserted.search(/: (?=\n|$)|- (?=\n|$)/);
          const cursor = hole < 0 ? inserted.length : hole + 2;
          view.dispatch({ changes: { from, to, insert: inserted }, selection: { anchor: from + cursor }, userEvent: 'input.complete', scrollIntoView: true });
        },
      };
    });
}

const option = (label: string, type = 'constant', detail = ''): Completion => ({ label, type, detail });

export async function complete(context: CompletionContext): Promise<CompletionResult | null> {
  const place = placeAt(context.state.doc.toString(), context.pos);
  if (!place) return null;
  const result = (options: Completion[]): CompletionResult | null => (options.length ? { from: place.from, options, validFor: /^[\w./-]*$/ } : null);
  if (!context.explicit && place.kind === 'key' && !place.word) return null;
  const { path, apiVersion, kindName } = place;
  if (place.kind === 'value' && path.length === 1 && path[0] === 'kind') {
    return result((await allKinds()).filter((one) => !apiVersion || one.apiVersion === apiVersion).map((one) => option(one.kind, 'class', one.apiVersion)));
  }
  if (place.kind === 'value' && path.length === 1 && path[0] === 'apiVersion') {
    const found = (await allKinds()).filter((one) => !kindName || one.kind === kindName);
    return result([...new Set(found.map((one) => one.apiVersion))].map((one) => option(one, 'namespace')));
  }
  const rooted = apiVersion && kindName ? await schemaOf(apiVersion, kindName) : null;
  if (!rooted) {
    if (path.length || place.kind === 'value') return null;
    const fields = ['apiVersion', 'kind', 'metadata'].filter((one) => !place.siblings.includes(one)).map((one) => ({ label: one, type: 'property', apply: one === 'metadata' ? 'metadata:\n  name: ' : `${one}: ` }));
    // A new document may begin with a whole skeleton.
    const whole = place.siblings.length ? [] : SKELETONS.map((one) => snippetCompletion(one.template, { label: one.label, type: 'class', detail: 'skeleton', info: one.info, boost: -5 }));
    return result([...fields, ...whole]);
  }
  const schema = at(path, rooted);
  if (!schema) return null;
  if (place.kind === 'value') return result(valuesOf(schema).map((one) => option(one)));
  // An item of a list of words.
  if (!schema.properties && valuesOf(schema).length) return result(valuesOf(schema).map((one) => option(one)));
  return result(keys(place, rooted, schema));
}

export const hover = hoverTooltip(
  async (view, position): Promise<Tooltip | null> => {
    const key = keyAt(view.state.doc.toString(), position);
    if (!key || !key.apiVersion || !key.kindName) return null;
    const rooted = await schemaOf(key.apiVersion, key.kindName);
    const schema = rooted && at(key.path, rooted);
    if (!schema) return null;
    const parent = at(key.path.slice(0, -1), rooted);
    const name = String(key.path.at(-1));
    return { pos: key.from, end: key.to, above: true, create: () => ({ dom: documentation(name, schema, rooted.all, parent?.required?.includes(name) ?? false) }) };
  },
  { hoverTime: 350 },
);
