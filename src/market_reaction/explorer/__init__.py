"""The live panel: one question, its answer, and widgets that show it.

``question`` says what is asked and ``state`` answers it without any widget; ``code`` writes the question as a cell.
``choices`` lists what can be picked; ``charts``, ``controls``, ``view`` and ``panel`` show it. The package is not
called ``explore``, for ``market_reaction.explore`` is the function.
"""
