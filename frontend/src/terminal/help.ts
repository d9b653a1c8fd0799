/** Help, laid out as kubectl lays it out, from the command table. */
import type { Command } from './command';
import { COMMANDS } from './commands';

const GROUPS: [Command['group'], string][] = [
  ['Basic', 'Basic Commands'],
  ['Deploy', 'Deploy Commands'],
  ['Cluster', 'Cluster Management Commands'],
  ['Troubleshooting', 'Troubleshooting and Debugging Commands'],
  ['Advanced', 'Advanced Commands'],
  ['Settings', 'Settings Commands'],
  ['Other', 'Other Commands'],
];

function table(commands: readonly Command[]): string {
  const width = Math.max(...commands.map((one) => one.name.length));
  return commands.map((one) => `  ${one.name.padEnd(width)}   ${one.short}`).join('\n');
}

export function overview(): string {
  const parts = GROUPS.map(([group, title]) => {
    const commands = COMMANDS.filter((one) => one.group === group);
    return commands.length ? `${title}:\n${table(commands)}\n` : '';
  }).filter(Boolean);
  return `kubectl controls the Kubernetes cluster manager.

This one runs in the browser: every command is a request to the API of this cluster, as you.

${parts.join('\n')}
Usage:
  kubectl [flags] [options]

Use "kubectl <command> --help" for more information about a given command.
`;
}

export function helpFor(command: Command, path: string[]): string {
  const parts = [`${command.short}.\n`];
  if (command.examples) parts.push(`Examples:\n${command.examples}\n`);
  if (command.subcommands) parts.push(`Available Commands:\n${table(command.subcommands)}\n`);
  if (command.flags?.length) {
    const flags = command.flags.map((one) => {
      const value = one.type === 'string' ? `='${one.default ?? ''}'` : one.type === 'list' ? '=[]' : `=${one.default ?? ''}`;
      return `    ${one.short ? `-${one.short}, ` : ''}--${one.name}${value}:\n\t${one.help}\n`;
    });
    parts.push(`Options:\n${flags.join('\n')}`);
  }
  const usage = command.usage ?? `kubectl ${path.join(' ')}${command.subcommands ? ' SUBCOMMAND' : ''} [options]`;
  parts.push(`Usage:\n  ${usage}\n`);
  if (command.subcommands) parts.push(`Use "kubectl ${path.join(' ')} <command> --help" for more information about a given command.\n`);
  return `${parts.join('\n')}`;
}

