"""Does a job with the Python SDK's first line (mcp 1.x), signing in as the SDK does. Run in its own environment."""

import asyncio
import html
import json
import re
import sys
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx
from mcp import ClientSession, McpError
from mcp.client.auth import OAuthClientProvider
from mcp.client.auth.extensions.client_credentials import ClientCredentialsOAuthProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import OAuthClientInformationFull, OAuthClientMetadata


class Storage:
    """Keeps tokens and the client that an administrator has registered: nothing registers itself here."""

    def __init__(self, client=None):
        self.client, self.tokens = client, None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client_info):
        self.client = client_info


class Browser:
    """The person at the browser: signs in on the issuer's page and is sent back with a code."""

    def __init__(self, sign_in):
        self.sign_in, self.answer = sign_in, {}

    async def open(self, address):
        async with httpx.AsyncClient() as browser:
            page = await browser.get(address, follow_redirects=True)
            form = {name: hidden(page.text, name) for name in ("csrfmiddlewaretoken", "next")}
            form |= {name: self.sign_in[name] for name in ("username", "password")}
            origin = "{0.scheme}://{0.netloc}".format(urlsplit(address))
            reply = await browser.post(str(page.url), data=form, headers={"Origin": origin})
            reply = await browser.get(urljoin(address, reply.headers["Location"]))
            self.answer = parse_qs(urlsplit(reply.headers["Location"]).query)

    async def come_back(self):
        return self.answer["code"][0], self.answer["state"][0]


def hidden(page, name):
    return html.unescape(re.search(rf'name="{name}"[^>]* value="([^"]*)"', page)[1])


def client_for(url, sign_in):
    """An HTTP client that signs in that way."""
    way = sign_in["way"]
    if way == "token":
        return httpx.AsyncClient(headers={"Authorization": f"Bearer {sign_in['token']}"}, timeout=60)
    if way == "client_credentials":
        auth = ClientCredentialsOAuthProvider(url, Storage(), sign_in["client_id"], sign_in["client_secret"])
        return httpx.AsyncClient(auth=auth, timeout=60)
    metadata = {"redirect_uris": [sign_in["redirect_uri"]], "token_endpoint_auth_method": "none"}
    registered = OAuthClientInformationFull(client_id=sign_in["client_id"], **metadata)
    browser = Browser(sign_in)
    auth = OAuthClientProvider(
        url, OAuthClientMetadata(**metadata), Storage(registered), browser.open, browser.come_back
    )
    return httpx.AsyncClient(auth=auth, timeout=60)


async def do(job):
    async with (
        client_for(job["url"], job["sign_in"]) as http,
        streamable_http_client(job["url"], http_client=http) as (reading, writing, _),
        ClientSession(reading, writing) as session,
    ):
        said = await session.initialize()
        tools = (await session.list_tools()).tools
        prompts = (await session.list_prompts()).prompts
        guides = (await session.list_resources()).resources
        for guide in guides[:1]:
            await session.read_resource(guide.uri)
        results = [await call(session, name, arguments) for name, arguments, _ in job["steps"]]
        return {
            "protocol": said.protocolVersion,
            "instructions": bool(said.instructions),
            "tools": [tool.name for tool in tools],
            "prompts": len(prompts),
            "results": results,
        }


async def call(session, name, arguments):
    try:
        result = await session.call_tool(name, arguments)
    except McpError as error:
        return {"error": error.error.message}
    text = result.content[0].text if result.content else ""
    return {"error": text} if result.isError else {"structured": result.structuredContent, "text": text}


print(json.dumps(asyncio.run(do(json.load(sys.stdin)))))
