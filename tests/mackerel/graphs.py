"""The graph definitions of one organisation, as Mackerel keeps them."""
import copy
import time

import strict

# "About 6 to 8 hours" without a metric that fits: the shorter is the harder test.
WILDCARD_LIFE_S = 6 * 3600


class Graphs:
    """Not locked: whoever owns it does that."""

    def __init__(self, clock=time.time):
        self.clock = clock
        self.history = {}  # name -> every definition that was posted
        self._defined = {}  # name -> [definition, when it or a metric of it was last posted]

    def post(self, definitions):
        """Later definitions replace earlier ones as a whole."""
        for definition in definitions:
            name = definition["name"]
            self.history.setdefault(name, []).append(copy.deepcopy(definition))
            self._defined[name] = [copy.deepcopy(definition), self.clock()]

    def see(self, metrics):
        """Values of these host metrics arrived."""
        for name in set(metrics):
            if not name.startswith("custom."):
                continue
            for entry in self._defined.values():
                if strict.graph_fits(entry[0]["name"], name):
                    entry[1] = self.clock()

    def edit(self, name, **what):
        """A person changes a definition by hand."""
        self._defined[name][0].update(what)

    def get(self, name):
        """The definition in force, or None: nobody posted it, or it was forgotten."""
        entry = self._defined.get(name)
        if entry is None:
            return None
        if {"*", "#"} & set(name.split(".")) and self.clock() - entry[1] >= WILDCARD_LIFE_S:
            del self._defined[name]
            return None
        return entry[0]

    def names(self):
        return sorted(name for name in list(self._defined) if self.get(name))
