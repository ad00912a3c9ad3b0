# What is in the way of each package index. Reads a line of JSON for each ({"url", "proxy", "user", "password",
# "insecure", "names"}) and prints a line: its number, the kind of fault (or "ok") and a detail, with tabs between.
import base64, http.client, json, netrc, os, socket, ssl, sys, threading, urllib.parse

TIMEOUT = 8


def credentials(item, host):
    if item["user"] or item["password"]:
        return item["user"], item["password"]
    try:
        # By its path: the default file is refused where others may read it, which uv does not mind.
        found = netrc.netrc(item["netrc"] or os.path.expanduser("~/.netrc")).authenticators(host)
        return (found[0], found[2]) if found else None
    except (OSError, netrc.NetrcParseError):
        return None


def context(item):
    made = ssl.create_default_context()
    if item["insecure"]:
        made.check_hostname = False
        made.verify_mode = ssl.CERT_NONE
    return made


def connect(item, url):
    port = url.port or (443 if url.scheme == "https" else 80)
    target = url
    if item["proxy"]:
        target = urllib.parse.urlsplit(item["proxy"])
    if url.scheme == "https":
        made = http.client.HTTPSConnection(target.hostname, target.port or 80, timeout=TIMEOUT, context=context(item)) \
            if item["proxy"] else http.client.HTTPSConnection(url.hostname, port, timeout=TIMEOUT, context=context(item))
    else:
        made = http.client.HTTPConnection(target.hostname, target.port or 80, timeout=TIMEOUT)
    if item["proxy"] and url.scheme == "https":
        headers = {}
        if target.username:
            word = urllib.parse.unquote(target.username) + ":" + urllib.parse.unquote(target.password or "")
            headers["Proxy-Authorization"] = "Basic " + base64.b64encode(word.encode()).decode()
        made.set_tunnel(url.hostname, port, headers=headers)
    return made


def status(item, address):
    for _ in range(5):
        url = urllib.parse.urlsplit(address)
        made = connect(item, url)
        headers = {"Host": url.netloc.rpartition("@")[2], "User-Agent": "pachbuild", "Accept": "*/*"}
        known = credentials(item, url.hostname)
        if known:
            word = (known[0] or "") + ":" + (known[1] or "")
            headers["Authorization"] = "Basic " + base64.b64encode(word.encode()).decode()
        path = (url.path or "/") + ("?" + url.query if url.query else "")
        made.request("GET", address if item["proxy"] and url.scheme == "http" else path, headers=headers)
        answer = made.getresponse()
        code, place = answer.status, answer.getheader("Location")
        made.close()
        if code not in (301, 302, 303, 307, 308) or not place:
            return code, bool(known)
        address = urllib.parse.urljoin(address, place)
    return code, bool(known)


def kind_of(item):
    try:
        code, known = status(item, item["url"])
        if code in (404, 405):
            # Many indexes have no page of their own.
            codes = [status(item, item["url"].rstrip("/") + "/" + name + "/")[0] for name in item["names"][:3]]
            if any(other < 400 for other in codes):
                return "ok", ""
            code = next((other for other in codes if other in (401, 403)), code)
        if code == 401:
            return "credentials", "refused" if known else "missing"
        if code == 407:
            return "proxy", "407"
        if code in (403, 404) or code >= 500:
            return "status", str(code)
        return "ok", ""
    except ssl.SSLCertVerificationError as error:
        return "certificate", error.verify_message
    except ssl.SSLError:
        return "tls", ""
    except socket.gaierror:
        return "proxy" if item["proxy"] else "name", ""
    except (TimeoutError, socket.timeout):
        return "proxy" if item["proxy"] else "silence", ""
    except ConnectionRefusedError:
        return "proxy" if item["proxy"] else "refused", ""
    except (OSError, http.client.HTTPException, ValueError) as error:
        # A proxy's own answer to CONNECT has no type of its own.
        return "proxy" if item["proxy"] else "broken", str(error)[:100]


items = [json.loads(line) for line in sys.stdin]
answers = [("silence", "")] * len(items)


def ask(number):
    answers[number] = kind_of(items[number])


threads = [threading.Thread(target=ask, args=(number,), daemon=True) for number in range(len(items))]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join(2 * TIMEOUT)
for number, (kind, detail) in enumerate(answers):
    print(number, kind, detail.replace("\t", " ").replace("\n", " "), sep="\t")
