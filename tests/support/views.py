"""Views of a tenant as a query string is read in them, without a store behind.

Next: query_service.queries
"""

from fractions import Fraction

from query_service.privacy import Privacy
from query_service.view import View
from sinks.keys import Key
from sinks.settle import Settled

SECRET = b"a secret of the sample tenant..."


def view(now, *, tenant="sample", shown=False):
    """What a reader of `tenant` sees at `now`; it has no store to ask."""
    return View(
        store=None,
        key=Key("key", tenant, "", frozenset({"read"}), frozenset()),
        teams=(),
        privacy=Privacy(shown=shown, hidden_by=()),
        complete_up_to=None,
        settled=Settled({}),
        now=now,
        frequent=Fraction(7),
        secret=SECRET,
    )
