// npm's oidc-provider as an issuer for ../oidc_provider.rs. It announces its address as a line of JSON, and ends with its
// standard input, so that it never outlives the test that started it.
//
// A token's audience and format are chosen by its resource: urn:AUDIENCE:FORMAT, where the format is `opaque` or the
// algorithm that signs it.
import { createServer } from 'node:http';

import { exportJWK, generateKeyPair } from 'jose';
import Provider from 'oidc-provider';

const algorithms = ['RS256', 'PS256', 'ES256', 'EdDSA'];

async function key(alg) {
  const { privateKey } = await generateKeyPair(alg, { extractable: true });
  return { ...(await exportJWK(privateKey)), alg, use: 'sig', kid: `${alg}-key` };
}

const client = (client_id, more) => ({
  client_id,
  client_secret: 'dev-secret',
  grant_types: ['client_credentials'],
  redirect_uris: [],
  response_types: [],
  ...more,
});

const server = createServer();
await new Promise((listening) => { server.listen(0, '127.0.0.1', listening); });
const issuer = `http://127.0.0.1:${server.address().port}`;

const provider = new Provider(issuer, {
  jwks: { keys: await Promise.all(algorithms.map(key)) },
  clients: [
    client('postern'),
    client('in-form', { token_endpoint_auth_method: 'client_secret_post' }),
    client('signed', { introspection_signed_response_alg: 'ES256' }),
  ],
  enabledJWA: { introspectionSigningAlgValues: ['RS256', 'ES256'] },
  scopes: ['api'],
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    jwtIntrospection: { enabled: true },
    revocation: { enabled: true, allowedPolicy: () => true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo(_context, resource) {
        const [, audience, format] = resource.split(':');
        const opaque = format === 'opaque';
        return {
          scope: 'api',
          audience,
          accessTokenTTL: 600,
          accessTokenFormat: opaque ? 'opaque' : 'jwt',
          ...(opaque ? {} : { jwt: { sign: { alg: format } } }),
        };
      },
    },
  },
});
server.on('request', provider.callback());
console.log(JSON.stringify({ issuer }));
process.stdin.resume().on('end', () => process.exit(0));
