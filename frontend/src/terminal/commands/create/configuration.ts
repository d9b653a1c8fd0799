/** kubectl create configmap, secret. */
import { text } from '../../text/flags';
import { base64, FROM_LITERAL, needed, pairs, type Generator } from './generator';

export const CONFIGMAP: Generator[] = [
  {
    name: 'configmap',
    aliases: ['cm'],
    short: 'Create a config map from a literal value',
    apiVersion: 'v1',
    kind: 'ConfigMap',
    failed: 'failed to create configmap',
    usage: 'NAME [--from-literal=key1=value1]',
    flags: [FROM_LITERAL],
    build: (call, name) => {
      const data = pairs(call.flags.all('from-literal'), 'literal source');
      return { ...(Object.keys(data).length ? { data } : {}), metadata: { name } };
    },
  },
];

export const SECRETS: Generator[] = [
  {
    name: 'generic',
    short: 'Create a secret from a literal value',
    apiVersion: 'v1',
    kind: 'Secret',
    failed: 'failed to create secret',
    usage: 'NAME [--type=string] [--from-literal=key1=value1]',
    flags: [FROM_LITERAL, text('type', '', 'The type of secret to create')],
    build: (call, name) => {
      const data = Object.fromEntries(Object.entries(pairs(call.flags.all('from-literal'), 'literal source')).map(([key, value]) => [key, base64(value)]));
      return { ...(Object.keys(data).length ? { data } : {}), metadata: { name }, ...(call.flags.text('type') ? { type: call.flags.text('type') } : {}) };
    },
  },
  {
    name: 'docker-registry',
    short: 'Create a secret for use with a Docker registry',
    apiVersion: 'v1',
    kind: 'Secret',
    failed: 'failed to create secret',
    usage: 'NAME --docker-username=user --docker-password=password --docker-email=email [--docker-server=string]',
    flags: [text('docker-username', '', 'Username for Docker registry authentication'), text('docker-password', '', 'Password for Docker registry authentication'), text('docker-email', '', 'Email for Docker registry'), text('docker-server', '', 'Server location for Docker registry', { default: 'https://index.docker.io/v1/' })],
    build: (call, name) => {
      needed(call, 'docker-username', 'docker-password');
      const [username, password, email] = ['docker-username', 'docker-password', 'docker-email'].map((one) => call.flags.text(one));
      const auth = { username, password, ...(email ? { email } : {}), auth: base64(`${username}:${password}`) };
      return { data: { '.dockerconfigjson': base64(JSON.stringify({ auths: { [call.flags.text('docker-server')]: auth } })) }, metadata: { name }, type: 'kubernetes.io/dockerconfigjson' };
    },
  },
];
