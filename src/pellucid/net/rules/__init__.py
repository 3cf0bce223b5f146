"""Backward rules of operations, at function level.

A rule acts on the call of a function (`relu`, `Tensor.relu_`, `F.conv2d`, `+` …), not on a module: functional,
in-place, shared and pre-activation networks are then all the same to it. The changed backward pass is written
into the graph while the forward pass runs; nothing is left behind, and what a call saves is a copy, which no
later in-place operation rewrites.
"""

from pellucid.net.rules.biases import Biases
from pellucid.net.rules.engine import Call, Rule, RuleMode, hidden_functions
from pellucid.net.rules.excitation import Excitation
from pellucid.net.rules.rectifiers import Deconvnet, Guided, Redirected, Smooth
from pellucid.net.rules.relevance import Relevance
from pellucid.net.rules.rescale import Rescale
from pellucid.result.coverage import Met

__all__ = [
    "Biases", "Call", "Deconvnet", "Excitation", "Guided", "Met", "Redirected", "Relevance", "Rescale", "Rule",
    "RuleMode", "Smooth", "hidden_functions",
]  # fmt: skip
