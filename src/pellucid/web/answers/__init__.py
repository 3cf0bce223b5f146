"""What a worker answers, a file for each thing that is asked for."""

from pellucid.web.answers import frames, indexed, layers, lines, mapped, methods, pictures, preferred, selected
from pellucid.web.answers.answer import Answer

ANSWERS: dict[str, Answer] = {
    **pictures.ANSWERS,
    **methods.ANSWERS,
    **frames.ANSWERS,
    **indexed.ANSWERS,
    **layers.ANSWERS,
    **lines.ANSWERS,
    **mapped.ANSWERS,
    **preferred.ANSWERS,
    **selected.ANSWERS,
}
"""By the name under which the server asks."""
