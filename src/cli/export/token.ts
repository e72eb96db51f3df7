import { Command } from 'commander'
import { readKeyFile } from '../../client/session/key-file.ts'
import { type GrantedToken, readScopes, readSmartConfiguration, requestToken } from '../../client/session/token.ts'
import { Failure } from '../../failure.ts'
import { type Output, printJson } from '../output.ts'

interface Flags {
  readonly clientId: string
  readonly key: string
  readonly server?: string
  readonly tokenEndpoint?: string
  readonly scope?: string
  readonly json?: boolean
}

const examples = `
Examples:
  $ bin/millrace token --server http://127.0.0.1:8080/r4/clinic --client-id ID --key nightly.jwk.json

  $ TOKEN=$(bin/millrace token --server https://host/r4/clinic --client-id ID --key nightly.jwk.json)
  $ curl -H "Authorization: Bearer $TOKEN" https://host/r4/clinic/Patient/12783127`

/** `millrace token`: gets an access token from any SMART Backend Services server and prints it. */
export function tokenCommand(output: Output = process.stdout): Command {
  return new Command('token')
    .description('get an access token from a server and print it')
    .requiredOption('--client-id <id>', 'the client id')
    .requiredOption('--key <file>', 'its private key, a JWK')
    .option('--server <base>', 'the FHIR base URL, whose discovery document names the token endpoint')
    .option('--token-endpoint <url>', 'the token endpoint, instead of discovering it')
    .option('--scope <scopes>', 'what to ask for (default: to read everything the server exports)')
    .option('--json', 'print the whole answer as one JSON object')
    .addHelpText('after', examples)
    .action(async (flags: Flags) => {
      const token = await getToken(flags)
      if (!flags.json) {
        output.write(`${token.accessToken}\n`)
        return
      }
      const { accessToken, expiresIn, scope } = token
      printJson(output, { access_token: accessToken, token_type: 'bearer', expires_in: expiresIn, scope })
    })
}

async function getToken({ server, tokenEndpoint, clientId, key: keyFile, scope }: Flags): Promise<GrantedToken> {
  const { signal } = new AbortController()
  const key = await readKeyFile(keyFile)
  if (tokenEndpoint !== undefined) {
    return requestToken({ tokenEndpoint, clientId, key, scope: scope ?? readScopes([]), signal })
  }
  if (server === undefined) {
    throw new Failure('The server is not named.', 'Give --server BASE, such as http://127.0.0.1:8080/r4/clinic.')
  }
  const found = await readSmartConfiguration(server, signal)
  const asked = scope ?? readScopes(found.scopesSupported)
  return requestToken({ tokenEndpoint: found.tokenEndpoint, clientId, key, scope: asked, signal })
}
