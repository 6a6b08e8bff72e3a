// Does a job with the TypeScript SDK: reads it as JSON, prints what came of it as JSON.
import { readFileSync } from "node:fs";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { StreamableHTTPClientTransport } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { ClientCredentialsProvider } from "@modelcontextprotocol/sdk/client/auth-extensions.js";

const job = JSON.parse(readFileSync(0, "utf8"));
const { way, token, client_id: clientId, client_secret: clientSecret } = job.sign_in;
const options =
  way === "client_credentials"
    ? { authProvider: new ClientCredentialsProvider({ clientId, clientSecret }) }
    : { requestInit: { headers: { Authorization: `Bearer ${token}` } } };
const transport = new StreamableHTTPClientTransport(new URL(job.url), options);
const client = new Client({ name: "stagecraft-tests", version: "1.0.0" });

async function call([name, args]) {
  try {
    const result = await client.callTool({ name, arguments: args });
    const text = result.content[0]?.text ?? "";
    return result.isError ? { error: text } : { structured: result.structuredContent, text };
  } catch (error) {
    return { error: error.message };
  }
}

await client.connect(transport);
const { tools } = await client.listTools();
const { prompts } = await client.listPrompts();
const { resources } = await client.listResources();
for (const { uri } of resources.slice(0, 1)) await client.readResource({ uri });
const results = [];
for (const step of job.steps) results.push(await call(step));
console.log(
  JSON.stringify({
    protocol: transport.protocolVersion,
    instructions: Boolean(client.getInstructions()),
    tools: tools.map((tool) => tool.name),
    prompts: prompts.length,
    results,
  }),
);
await client.close();
