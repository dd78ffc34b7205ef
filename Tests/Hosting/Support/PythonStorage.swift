import Glibc
import JSON
import PluginHost
import TestSupport
import Testing

/// A storage plugin in Python that keeps objects as files: good, or with one fault that its argument names.
enum PythonStorage {
    /// Config: `path`, the directory of the objects. The argument is the fault, or `near` to ask for a spool near the
    /// objects, or `file` to promise neither streams nor ranges.
    static let script = #"""
        #!/usr/bin/python3 -SE
        json, os, sys, time = map(__import__, ("json", "os", "sys", "time"))

        out = os.fdopen(os.dup(1), "wb", 0)
        os.dup2(2, 1)
        fault = sys.argv[1] if len(sys.argv) > 1 else ""
        plain = fault == "file"
        root = None
        DESCRIPTION = {
            "protocol": 1, "name": "python-storage", "version": "1", "kinds": ["storage"],
            "features": {"consistency": "strong", "if_absent": "atomic", "get_range": not plain, "get_stream": not plain},
            "limits": {"max_inflight": 1, "max_instances": 2},
            "config_schema": {"type": "object", "required": ["path"], "additionalProperties": False,
                              "properties": {"path": {"type": "string"}, "page": {"type": "integer", "default": 3}}},
        }

        class Failure(Exception):
            pass

        def file(key):
            return os.path.join(root, key.replace("/", "%"))

        def write(path, data):
            if fault == "symlink":
                os.unlink(path) if os.path.exists(path) else None
                os.symlink("/etc/passwd", path)
                return
            if fault == "rename":
                with open(path + ".new", "wb") as target: target.write(data)
                os.rename(path + ".new", path)
                return
            if fault == "never-opens":
                return
            if fault in ("opens-only", "stops-half-way"):
                target = open(path, "wb", 0)
                if fault == "stops-half-way": target.write(data[:1000])
                time.sleep(60)
            if fault == "half":
                data = data[:len(data) // 2]
            if fault == "surplus":
                data = data + b"!"
            with open(path, "wb", 0) as target:
                view = memoryview(data)
                while view:
                    view = view[target.write(view):]

        def put(p):
            if fault == "slow-put":
                time.sleep(60)
            with open(p["path"], "rb") as source: data = source.read()
            target = file(p["key"])
            if p.get("if_absent") and os.path.exists(target):
                if open(target, "rb").read() == data: return {"size": len(data), "existed": True}
                raise Failure(2, "another object is there")
            with open(target + ".new", "wb") as copy: copy.write(data)
            os.rename(target + ".new", target)
            return {"size": len(data) - (fault == "put-size")}

        def get(p):
            if not os.path.exists(file(p["key"])): raise Failure(1, "no such object")
            with open(file(p["key"]), "rb") as source: data = source.read()
            if "offset" in p:
                end = p["offset"] + p["length"] if "length" in p else len(data)
                if p["offset"] > len(data) or end > len(data): raise Failure(3, "beyond the end")
                data = data[p["offset"]:end]
            write(p["path"], data)
            return {"size": len(data) + (fault == "get-size")}

        def stat(p):
            if not os.path.exists(file(p["key"])): raise Failure(1, "no such object")
            return {"size": os.path.getsize(file(p["key"]))}

        def listing(p):
            if fault == "cursor-loop": return {"entries": [], "cursor": "again"}
            if fault == "empty-pages": return {"entries": [], "cursor": p.get("cursor", "") + "x"}
            if fault == "bad-key": return {"entries": [{"key": "../x", "size": 1}]}
            if fault == "stranger": return {"entries": [{"key": "zz", "size": 1}]}
            keys = sorted(k.replace("%", "/") for k in os.listdir(root) if not k.startswith("."))
            keys = [k for k in keys if k.startswith(p["prefix"]) and k > p.get("cursor", "")]
            page = keys[:config["page"]]
            entries = [{"key": k, "size": os.path.getsize(file(k))} for k in page]
            if fault == "duplicates": entries = entries + entries
            return {"entries": entries, "cursor": page[-1]} if len(keys) > len(page) else {"entries": entries}

        def delete(p):
            if os.path.exists(file(p["key"])): os.unlink(file(p["key"]))
            return {}

        METHODS = {"storage.put": put, "storage.get": get, "storage.stat": stat, "storage.list": listing,
                   "storage.delete": delete}
        for line in sys.stdin.buffer:
            request = json.loads(line)
            if "id" not in request: continue
            method, p = request["method"], request["params"]
            try:
                if method == "describe": result = DESCRIPTION
                elif method == "open":
                    config, root = p["config"], p["config"]["path"]
                    result = {"spool_near": root} if fault == "near" else {}
                elif method in METHODS: result = METHODS[method](p)
                else: raise Failure(-32601, "no such method")
                answer = {"result": result}
            except Failure as failure:
                answer = {"error": {"code": failure.args[0], "message": failure.args[1]}}
            except OSError as failure:
                answer = {"error": {"code": 7, "message": str(failure)}}
            out.write(json.dumps({"jsonrpc": "2.0", "id": request["id"], **answer}).encode() + b"\n")
        """#
}

extension HostFixture {
    /// Opens ``PythonStorage`` over an empty directory `objects`.
    func pythonStorage(fault: String = "") throws -> StoragePlugin {
        let objects = directory.path("objects")
        #expect(mkdir(objects, 0o700) == 0 || errno == EEXIST)
        return try storage(
            PythonStorage.script, arguments: fault.isEmpty ? [] : [fault], config: ["path": .string(objects)])
    }
}
