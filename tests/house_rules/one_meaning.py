"""Release builds compile the files of a folder in bunches (kms_merge in cmake/library.cmake): a name in an anonymous
namespace means one thing in all of them. Finds what a build by single files would not."""
import functools
import re

from source import Source

# Folders whose files are never compiled together.
SINGLE = {"crypto", "bench", "programs", "tests/fuzz", "tests/crypto/constant_time"}

_TYPE = re.compile(r"(?:struct|class|enum(?: class)?) (\w+)(?= [:{]|;| final)")
_ALIAS = re.compile(r"(?:using|namespace) (\w+) = ([^;]*);")
_FUNCTION = re.compile(r"[\w:<>,&*\s\[\]]*?[ &*>](\w+)\(([^()]*(?:\([^()]*\)[^()]*)*)\)(?: const)?(?: noexcept)? \{")
_VALUE = re.compile(r"(?:[\w:<>,&*\s]*?) [&*]?(\w+)(?:\[\w*\])?(?: =|\{)")


def _parameter_types(text):
    """The parameter list without names and defaults, as far as it takes to tell two overloads apart."""
    return ", ".join(re.sub(r"\s*=.*| \w+$|(?<=[&*])\w+$", "", part.strip()) for part in text.split(","))


def _anonymous_namespaces(code):
    """[(offset, text)] of what stands between their braces."""
    for opening in re.finditer(r"^namespace \{$", code, re.M):
        depth = 1
        for brace in re.finditer(r"[{}]", code[opening.end():]):
            depth += 1 if brace.group() == "{" else -1
            if depth == 0:
                yield opening.end(), code[opening.end():opening.end() + brace.start()]
                break


def meanings(code):
    """{(name, parameters): (offset, what it is)} of the anonymous namespaces of one file."""
    out = {}
    for begin, space in _anonymous_namespaces(code):
        for line in re.finditer(r"^(?=\w).*(?:\n {4,}.*)*", space, re.M):
            text = line.group()
            offset = begin + line.start()
            if text.startswith(("TEST", "using namespace", "INSTANTIATE", "template", "public:", "private:")):
                continue
            if match := _TYPE.match(text):
                out[match.group(1), ""] = (offset, "type")
            elif match := _ALIAS.match(text):
                out[match.group(1), ""] = (offset, match.group(2))
            elif match := _FUNCTION.match(text):
                out[match.group(1), f"({_parameter_types(match.group(2))})"] = (offset, "function")
            elif match := _VALUE.match(text):
                out[match.group(1), ""] = (offset, "value")
    return out


def _folder(path):
    return path.rpartition("/")[0]


@functools.lru_cache(maxsize=None)
def _of_folder(root, folder):
    return {f"{folder}/{path.name}": meanings(Source(root, f"{folder}/{path.name}").code)
            for path in sorted((root / folder).glob("*.cpp"))}


def one_meaning(source):
    folder = _folder(source.path)
    if not source.path.endswith(".cpp") or folder in SINGLE:
        return []
    faults = []
    for name, (offset, what) in meanings(source.code).items():
        for other, theirs in _of_folder(source.root, folder).items():
            same_alias = what not in ("type", "function", "value") and theirs.get(name, (0, ""))[1] == what
            if other < source.path and name in theirs and not same_alias:
                faults.append((source.line_of(offset, source.code), f"{''.join(name)} is in {other} too"))
    return faults
