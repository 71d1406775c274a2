"""What the tiny models say.

Each paragraph is one whole answer. The first one is the answer at temperature 0, so it must introduce the demo.
Everything said must be true: about llamas, about Llamero, and about the demo itself.

The thoughts share no word with the answers: a model that knows only the last two words could otherwise wander from a
thought into an answer and never close its reasoning block. `chain.py` checks this.
"""

from __future__ import annotations

ANSWERS = (
    "Hello! I am the Llamero demo, a tiny model made to show that everything works. "
    "This is not a real assistant: my whole knowledge is a few sentences about llamas, put together by chance. "
    "To get answers, choose a larger model and load it. Until then, enjoy the walk with our herd.",
    "A llama is calm and comes from the mountains of South America. "
    "It carries wool, tools and food along stony paths. "
    "It hums when something is new, and it lies down when its load is too heavy. A wise herder listens to both.",
    "Llamero is named after the people who lead llamas across the mountains. "
    "The program leads language models on your own computer: it starts them when you ask, watches over them, "
    "helps them up when they fall and stops them when you say so.",
    "You are talking with a very small demo. It does not understand your question. "
    "It shows how words appear one after another, and how quickly. For real help, load a real model.",
    "Here is what this demo can show you:\n"
    "- how fast the words arrive\n"
    "- how an answer stops in the middle\n"
    "- how a chat is kept and found again\n"
    "It cannot answer questions. Only a large one can do that.",
    "Did you know that llamas have soft feet with two toes? "
    "They leave the ground as they found it. "
    "This demo travels light, too: my file is smaller than two megabytes.",
    "The herd rests, and the night is quiet. A young llama asks where the path goes. "
    "The old llama says that it goes as far as you walk. Then both of them look at the stars.",
    "Let me count some llamas: one, two, three, four, five, six, seven. "
    "Most people fall asleep before the last one. That is fine, because a demo never minds.",
    "Good models are large; this one is tiny. "
    "Think of it as the little bell on the first llama, which carries nothing but tells you that the herd is moving.",
    "Every word here was picked from a table of words that follow each other. "
    "There is no understanding behind it, so believe nothing unless it is about llamas.",
)

THOUGHTS = (
    "Hmm, somebody wrote. Must stay kind, stay honest, reply warmly.",
    "Okay, careful now. Short replies please everybody.",
)
