"""Two questions for tests: one with a function for an answer, one with statements."""

from jensengap.exercises.question import Choice, Mistake, Number

AREA = Number(
    label="ex-test-area",
    ask="How large is a rectangle of sides 2 and 3?",
    answer=lambda a, b: a * b,
    cases=({"a": 2.0, "b": 3.0}, {"a": 0.5, "b": -7.0}),
    mistakes=(
        Mistake(lambda a, b: 2 * (a + b), "That is its perimeter."),
        Mistake(lambda a, b: a + b, "That is a sum."),
        Mistake(lambda a, b: a * b / 2, "That is a triangle."),
    ),
    why="A row holds as many unit squares as one side is long.",
    hints=("Count unit squares.", "A product."),
    unit="nats",
    tolerance=0.01,
)
SIDE = Choice(
    label="ex-test-side",
    ask="On which side of the truth is a lower bound?",
    options={
        "above": "Above it would be an upper bound.",
        "below": "It never exceeds the truth.",
        "beside": "A number is below or above.",
        "anywhere": "Then it would bound nothing.",
    },
    right="below",
    hints=("Read the name.",),
)
