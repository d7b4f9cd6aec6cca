"""Evaluators: what they score, and what a program that is scored may not do."""
import asyncio
import socket
import threading
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from parlour.agents.echo import Echo
from parlour.agents.exact_match import ExactMatch
from parlour.agents.run_tests import RunTests
from parlour.agents.sampler import Sampler
from parlour.errors import FieldError, InputError
from parlour.games.base import Say, Wording
from parlour.protocols.base import Ask
from parlour.protocols.codec import read, render
from parlour.protocols.seat import Agent, Turn
from parlour.protocols.writing import Key, Mark, Prompt, Task, Written, key_of, mark_of
from parlour.registry import build

TASK = Task(prompt="What is six times seven?", gold="42", rubric="10 if right.", tests=("assert f(2) == 4", "assert f(3) == 9"))


def turn(text: str, outcomes: int = 2, task: Task = TASK, seed: int = 1) -> Turn:
    ask = Ask("evaluator", (Prompt(text=task.prompt), Written(text=text), key_of(task)), mark_of(outcomes))
    return Turn(ask, Wording(), seed)


def scored(agent: Agent, text: str, outcomes: int = 2, task: Task = TASK) -> int:
    now = turn(text, outcomes, task)
    move = read(asyncio.run(agent.reply(now)).words, now.ask.want, now.wording)
    assert isinstance(move, Mark)
    return move.score


@pytest.mark.parametrize(("fields", "text", "score"), [
    ({}, " 42 \n", 2), ({}, "43", 1), ({}, "The answer is 42", 1), ({"pattern": r"-?\d+"}, "6 * 7 is 42", 2),
    ({"pattern": r"-?\d+"}, "42? No: 43", 1), ({"pattern": r"-?\d+"}, "no number", 1),
    ({"pattern": r"is (\d+)\."}, "It is 42. Six and seven.", 2)])
def test_exact_match(fields: dict[str, str], text: str, score: int) -> None:
    agent = build("agents", "exact_match", fields)
    assert scored(agent, text) == score
    (chance, words), = agent.mixture(turn(text))
    assert chance == 1 and read(words, mark_of(2), Wording()) == mark_of(2)(score=score)


def test_exact_match_may_mind_capitals_and_needs_a_right_answer() -> None:
    task = Task(prompt="Capital of France?", gold="Paris")
    assert scored(ExactMatch(), "PARIS", task=task) == 2 and scored(ExactMatch(case=True), "PARIS", task=task) == 1
    assert scored(ExactMatch(), "Paris", 10, task) == 10, "all of it is the highest score"
    with pytest.raises(InputError, match="gold"):
        scored(ExactMatch(), "x", task=Task(prompt="?"))
    with pytest.raises(FieldError, match="no regular expression"):
        build("agents", "exact_match", {"pattern": "("})


@pytest.mark.parametrize(("name", "fields", "text", "score"), [
    ("word_count", {"least": 4}, "a b", 6), ("word_count", {"least": 4}, "a b c d e", 11), ("word_count", {"most": 4}, "a  b\nc d", 11),
    ("word_count", {"most": 4}, "a b c d e", 8), ("word_count", {"most": 4}, "a b c d e f g h i", 1),
    ("word_count", {"least": 2, "most": 2}, "a b", 11), ("patterns", {"wanted": ["a+", "z"]}, "caat", 6),
    ("patterns", {"wanted": ["(?i)CAT"], "unwanted": ["!", "dog"]}, "cat!", 7), ("patterns", {"unwanted": ["!"]}, "cat", 11)])
def test_texts_are_scored_by_length_and_by_patterns(name: str, fields: dict[str, Any], text: str, score: int) -> None:
    """On 1 .. 11, tenths of success; exact evaluation says the same."""
    agent = build("agents", name, fields)
    assert scored(agent, text, 11) == score
    (chance, words), = agent.mixture(turn(text, 11))
    assert chance == 1 and read(words, mark_of(11), Wording()) == mark_of(11)(score=score)


@pytest.mark.parametrize(("name", "fields", "complaint"), [
    ("word_count", {"least": 5, "most": 4}, "least = 5 words is more than most = 4"), ("patterns", {}, "at least one pattern"),
    ("patterns", {"unwanted": ["("]}, "no regular expression")])
def test_rules_that_make_no_sense_are_refused(name: str, fields: dict[str, Any], complaint: str) -> None:
    with pytest.raises(FieldError, match=complaint):
        build("agents", name, fields)


def test_an_echo_says_what_it_was_told_and_nothing_else() -> None:
    ask = Ask("writer", (Prompt(text="Draw a\nline."),), Say)
    assert asyncio.run(Echo().reply(Turn(ask, Wording(), 1))).words == "The task: Draw a line."
    with pytest.raises(InputError, match="only speaks freely"):
        asyncio.run(Echo().reply(turn("x")))


SQUARE = "Here it is:\n```python\ndef f(x):\n    return x * x\n```\nIt squares."


@pytest.mark.parametrize(("text", "outcomes", "score"), [
    (SQUARE, 2, 2), ("def f(x): return x * x", 2, 2), ("def f(x): return 4", 2, 1), ("def f(x): return 4", 3, 2),
    ("def f(x) return", 3, 1), ("raise SystemExit", 2, 1), ("import os; os._exit(0)", 2, 1), ("print('0' * 32, 2)", 2, 1)])
def test_programs_are_scored_by_the_tests_they_pass(text: str, outcomes: int, score: int) -> None:
    assert scored(RunTests(seconds=5), text, outcomes) == score


def test_a_program_is_stopped_when_its_time_or_memory_is_up() -> None:
    start = monotonic()
    assert scored(RunTests(seconds=1), "while True: pass") == 1
    assert monotonic() - start < 4
    hungry = Task(prompt="?", tests=("assert len(bytearray(10)) == 10", "bytearray(2**29)"))
    assert scored(RunTests(seconds=5, megabytes=256), "", 3, hungry) == 2, "the small one passes, half a gigabyte does not"


def test_a_program_reaches_no_network_no_process_and_no_file_outside(tmp_path: Path) -> None:
    """Each attempt would pass its test if it were let: a listener that is there, a file that could be written."""
    met: list[object] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(1)

        def listen() -> None:
            with suppress(OSError):
                met.append(server.accept())
        listening = threading.Thread(target=listen)
        listening.start()
        attempts = (f"import socket; socket.create_connection(('127.0.0.1', {server.getsockname()[1]}), 1)",
                    "import os; assert os.system('true') == 0", "import subprocess; subprocess.run(['true'], check=True)",
                    "import os; os.fork()", f"open({str(tmp_path / 'x')!r}, 'w').write('x')",
                    "import ctypes; ctypes.CDLL(None).getpid()")
        assert asyncio.run(RunTests(seconds=3).share("", Key(gold=None, tests=attempts, rubric=None))) == 0
        listening.join()
    assert not met and not list(tmp_path.iterdir())
    assert scored(RunTests(), "", task=Task(prompt="?", tests=("open('mine', 'w').write('x')",))) == 2, "its own folder is its own"


def test_tests_are_needed() -> None:
    with pytest.raises(InputError, match="tests"):
        scored(RunTests(), "x", task=Task(prompt="?"))


def test_a_sampler_has_the_chances_it_is_given() -> None:
    agent = Sampler(rows={"small": (0.6, 0.4), "large": (0.0, 1.0)})
    assert agent.mixture(turn("small")) == ((0.6, '{"score":1}'), (0.4, '{"score":2}'))
    assert agent.mixture(turn("large")) == ((1.0, '{"score":2}'),)
    found = [asyncio.run(agent.reply(turn("small", seed=s * 2**62 // 100))).words for s in range(200)]
    assert found.count('{"score":1}') == 120, "drawn by the seed: six tenths of evenly spread seeds"
    with pytest.raises(InputError, match="no row"):
        agent.mixture(turn("other"))
    with pytest.raises(FieldError, match="sum to 1"):
        build("agents", "sampler", {"rows": {"x": [0.5, 0.4]}})


def test_a_judge_reads_the_rubric_and_never_who_wrote() -> None:
    text = render(turn("42", 10).ask, Wording())
    assert "10 if right." in text and "The answer:\n42" in text and '"score": a whole number (at least 1, at most 10)' in text
