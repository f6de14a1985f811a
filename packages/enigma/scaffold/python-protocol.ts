/** protocol.py of a new module in Python: JSON-RPC, one message per line. The same for all of them. */
export const protocol = `"""The Model Context Protocol over standard input and output: JSON-RPC, one message per line.

What a module prints to standard error is logged; standard output is for messages alone.
"""

import json
import sys

# What Enigma asks beyond tools, of an object that has such a method.
HOOKS = ("load", "start", "stop", "health")


class RpcError(Exception):
    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


def serve(module, tools):
    """Answers until the input ends. Tools are the names of methods, with a description and the arguments."""
    messages, sys.stdout = sys.stdout, sys.stderr  # a print() in the module is no message
    for line in sys.stdin:
        reply = reply_to(line, module, tools)
        if reply is not None:
            print(json.dumps({"jsonrpc": "2.0", **reply}), file=messages, flush=True)


def reply_to(line, module, tools):
    try:
        message = json.loads(line)
    except (ValueError, RecursionError):
        message = None
    method = message.get("method") if isinstance(message, dict) else None
    params = message.get("params", {}) if isinstance(message, dict) else None
    if not isinstance(method, str) or not isinstance(params, dict):
        return {"id": None, "error": {"code": -32700, "message": "this is no JSON-RPC request"}}
    if "id" not in message:
        return None  # a notification; none of them changes anything here
    try:
        return {"id": message["id"], "result": answer(method, params, module, tools)}
    except RpcError as error:
        return {"id": message["id"], "error": {"code": error.code, "message": str(error)}}
    except Exception as error:
        return {"id": message["id"], "error": {"code": -32603, "message": f"{type(error).__name__}: {error}"}}


def answer(method, params, module, tools):
    if method == "initialize":
        hooks = {name: {} for name in HOOKS if hasattr(module, name)}
        return {
            "protocolVersion": params["protocolVersion"],
            "serverInfo": {"name": type(module).__name__, "version": "0.1.0"},
            "capabilities": {"tools": {}, "experimental": {"enigma": hooks}},
        }
    if method == "ping":
        return {}
    if method == "tools/list":
        return {"tools": [describe(name, *about) for name, about in tools.items()]}
    if method == "tools/call":
        return call(module, tools, params["name"], params.get("arguments") or {})
    hook = method[len("enigma/"):] if method.startswith("enigma/") else ""
    if hook in HOOKS and hasattr(module, hook):
        return getattr(module, hook)(**params) or {}
    raise RpcError(-32601, f"no method '{method}'")


def describe(name, description, arguments):
    schema = {"type": "object", "properties": arguments, "required": list(arguments)}
    return {"name": name, "description": description, "inputSchema": schema}


def call(module, tools, name, arguments):
    if name not in tools:
        raise RpcError(-32602, f"there is no tool '{name}'; there are: {', '.join(tools)}")
    try:
        result = getattr(module, name)(**arguments)
    except Exception as error:  # the caller's to deal with; the module serves on
        return {"content": [{"type": "text", "text": f"{type(error).__name__}: {error}"}], "isError": True}
    if isinstance(result, dict):
        return {"content": [{"type": "text", "text": json.dumps(result)}], "structuredContent": result}
    return {"content": [{"type": "text", "text": str(result)}]}
`
