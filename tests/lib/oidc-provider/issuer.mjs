// An issuer by npm's oidc-provider, controlled by lines of JSON on standard input, each answered by one on standard
// output. Usage: node issuer.mjs CONFIG.json, with
//
//   {"port", "certificate", "key", "audience", "clients": {"<client id>": {extra claims of its tokens}}}
//
//   {"keys": [{"alg": "ES256", "kid": "a"}, …]}   publishes these keys and no others; makes those that are new
//   {"listen": true} / {"listen": false}          is there, or away
//
// A client gets its token by client credentials and a resource https://api.test/<algorithm>, which it is signed by.
import fs from 'node:fs';
import https from 'node:https';
import readline from 'node:readline';
import { exportJWK, generateKeyPair } from 'jose';
import { Provider } from 'oidc-provider';

const config = JSON.parse(fs.readFileSync(process.argv[2], 'utf8'));
const issuer = `https://127.0.0.1:${config.port}`;
const made = new Map();
let handle = (_request, response) => response.writeHead(503).end();

async function keyOf({ alg, kid }) {
  if (!made.has(kid)) {
    const { privateKey } = await generateKeyPair(alg, { extractable: true });
    made.set(kid, { ...await exportJWK(privateKey), alg, kid, use: 'sig' });
  }
  return made.get(kid);
}

function providerOf(keys) {
  const provider = new Provider(issuer, {
    jwks: { keys },
    clients: Object.keys(config.clients).map((client_id) => ({
      client_id,
      client_secret: 'secret',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    })),
    clientDefaults: { id_token_signed_response_alg: keys[0].alg },
    enabledJWA: { idTokenSigningAlgValues: ['RS256', 'PS256', 'ES256', 'EdDSA'] },
    extraTokenClaims: (_context, token) => config.clients[token.clientId],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        getResourceServerInfo: (_context, resource) => ({
          scope: 'api',
          audience: config.audience,
          accessTokenTTL: 48 * 3600,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: resource.split('/').pop() } },
        }),
      },
    },
    ttl: { ClientCredentials: 48 * 3600 },
  });
  return provider.callback();
}

const server = https.createServer(
  { cert: fs.readFileSync(config.certificate), key: fs.readFileSync(config.key) },
  (request, response) => handle(request, response),
);

async function obey(command) {
  if (command.keys) handle = providerOf(await Promise.all(command.keys.map(keyOf)));
  if (command.listen === true) await new Promise((done) => server.listen(config.port, '127.0.0.1', done));
  if (command.listen === false) {
    await new Promise((done) => { server.close(done); server.closeAllConnections(); });
  }
  return { issuer };
}

for await (const line of readline.createInterface({ input: process.stdin })) {
  const answer = await obey(JSON.parse(line)).catch((error) => ({ error: String(error) }));
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
process.exit(0);
