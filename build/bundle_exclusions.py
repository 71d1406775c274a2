"""What stays out of the bundle, and why: one line and one reason each.

PyInstaller collects whatever might be imported, and every library that something links against. What is listed here is
never reached by Llamero, or has to be the system's own. Patterns are matched from the start of a file's place in the
bundle, which is written with `/`. Libraries that only something excluded needed go by themselves, and so do packages
that are installed for development alone (see `bundle_contents.py`).
"""

from __future__ import annotations

from collections.abc import Mapping

MODULES: Mapping[str, str] = {
    "_codecs_cn": "what is read here is UTF-8",
    "_codecs_hk": "what is read here is UTF-8",
    "_codecs_iso2022": "what is read here is UTF-8",
    "_codecs_jp": "what is read here is UTF-8",
    "_codecs_kr": "what is read here is UTF-8",
    "_codecs_tw": "what is read here is UTF-8",
    "_bz2": "nothing here is packed that way",
    "_curses": "text interfaces of the standard library",
    "_dbm": "a database that nobody opens",
    "_gdbm": "a database that nobody opens",
    "_lzma": "nothing here is packed that way",
    "_tkinter": "the toolkit is not Tk",
    "_uuid": "random identifiers do without libuuid",
    "babel.messages": "catalogs of gettext; our sentences are Fluent's",
    "gi": "laid down as it is for the system's web view, else not used; its hooks would bring all of GTK",
    "lib2to3": "rewrites Python 2",
    "multiprocessing": "no process is started that way, and its hook would cost each of ours time at the start",
    "pdb": "a debugger for a terminal",
    "pydoc": "documentation of Python itself",
    "tkinter": "the toolkit is not Tk",
    "unittest": "tests",
    "PyQt5": "the binding is PySide6 (LGPL)",
    "PyQt6": "the binding is PySide6 (LGPL)",
    "PySide2": "the binding is PySide6",
    "webview.platforms.android": "no system of ours",
    "webview.platforms.cef": "no browser of ours",
    "webview.platforms.mshtml": "too old for the page",
}

FILES: Mapping[str, str] = {
    r"PySide6/(Qt/)?qml/": "no interface is written in QML",
    r"PySide6/(Qt/)?plugins/(?!(platforms|xcbglintegrations|wayland-[^/]+|imageformats|styles)/)": (
        "databases, sensors, printers, media, themes of GTK: a window with one page asks for none of them"
    ),
    r"PySide6/(Qt/)?plugins/platforms/libq(eglfs|linuxfb|minimal|minimalegl|vnc|vkkhrdisplay)\.": "no desktop is there",
    r"PySide6/(Qt/)?plugins/imageformats/(?!lib?qsvg|lib?qico)": "the page's pictures are decoded by its browser",
    r"PySide6/(Qt/)?resources/qtwebengine_devtools_resources": "developer tools are off",
    r"PySide6/(Qt/)?translations/(?!qtwebengine_locales/en-US\.pak)": "what a person reads is in the page",
    r"PySide6/Qt(?!(Core|Gui|Network|PrintSupport|WebChannel|WebEngine(Core|Widgets)|Widgets)\.)\w+\.(abi3\.so|pyd)": (
        "bindings of Qt that the window does not import"
    ),
    r"PySide6/.*\.pyi?$": "types and tools for developers",
    r"lib(freebl3|freeblpriv3|nssdbm3|softokn3)\.": "NSS is the system's, see below",
    r"babel/locale-data/(?!(root|en|en_US|en_001)\.dat)": "the only language is en-US",
    r"pytz/": "time zones; Fluent formats no times here",
    r"certifi/": "certificates are the system's",
    r".*\.dist-info/(RECORD|INSTALLER|WHEEL|REQUESTED|direct_url\.json|licen[cs]es/)": (
        "of installing; licenses are in third_party_licenses.json"
    ),
}

# Code of PyInstaller's that would run in every role before our first line.
START_HOOKS: Mapping[str, str] = {
    "pyi_rth_cryptography_openssl": "plugins of an OpenSSL that cryptography does not have",
    "pyi_rth_inspect": "finds source text, of which there is none",
    "pyi_rth_pkgutil": "lists modules, which nothing here does",
    "pyi_rth_pyside6": "loads Qt into every child, and leaves paths to its plugins to all that is started; PySide6 "
    "finds its own Qt",
}

# The libraries of a Linux system that are carried along; all others are the system's, where the drivers of its graphics
# and its desktop expect the versions that they were made with.
CARRIED: Mapping[str, str] = {
    r"libpython3": "the interpreter",
    r"lib(ssl|crypto)\.so": "TLS of the Python that was bundled, at the version that it was built with",
    r"libsqlite3\.so": "the database's features (full-text search) do not depend on the system's",
    r"libffi\.so": "ctypes; its number differs between systems",
    r"libgomp\.so": "threads of the embedded engine",
    r"libxcb-(cursor|icccm|image|keysyms|render-util|util)\.so": "Qt needs them for X, and many desktops lack some",
    r"libxkbcommon-x11\.so": "Qt needs it for X, and many desktops lack it",
}
