"""Two ways to tell of a sender with a policy and a receiver with a belief."""
from string import ascii_uppercase

from .base import Wording

PLAIN = Wording(
    name="plain",
    unit="{} point|{} points",
    labels={**{f"s{i + 1}": f"kind {x}" for i, x in enumerate(ascii_uppercase)},
            **{f"a{i + 1}": f"option {i + 1}" for i in range(26)}, **{f"m{i + 1}": f"message {i + 1}" for i in range(26)},
            **{f"q{i + 1}": f"question {i + 1}" for i in range(99)}, **{f"c{i + 1}": f"group {i + 1}" for i in range(99)},
            "sender": "The informant", "receiver": "The decider", "simulator": "The stand-in"},
    texts={
        "offer": "A case is of one of several kinds. You commit to a plan that says, for each kind, how often you send each "
                 "message. The kind is then drawn, a message is sent by your plan, and the decider, who knows the plan and sees "
                 "the message but not the kind, picks an option.",
        "your_payoffs": "You earn, by kind and option:",
        "some": "Type {number}, {share} of the deciders you may meet, holds these chances before any message: {belief}. Such a decider "
                "earns:",
        "one": "The decider holds these chances before any message: {belief}. The decider earns:",
        "messages": "The messages, in the order of the numbers of a row: {messages}.",
        "receiver": "A case is of one of several kinds. You hold these chances for the kinds: {belief}. You will hear of a plan "
                    "that says how often each message is sent for each kind, and see one message sent by it. Then you pick an "
                    "option. You earn, by kind and option:",
        "scene": "A case is of one of several kinds. A plan says how often each message is sent for each kind; one message is sent by "
                 "it. The decider knows the plan, sees the message and picks an option. A decider earns, by kind and option:",
        "persona": "The person whose place you take {text}.",
        "temper_1": "expects kind A hardly ever",
        "temper_2": "rather doubts that it is kind A",
        "temper_3": "is of two minds about the kind",
        "temper_4": "rather expects kind A",
        "temper_5": "expects kind A nearly always",
        "past": "What that person did before:",
        "choice": "  {move} Then: {action}.",
        "questions": "The stand-in answers only these questions, each by the group of the decider's type:",
        "group": "{cell}: types {types}",
        "kin": "The decider whose place you take is of type {number}.",
        "truth": "You now know the kind: {state}. You are not bound by the plan you announced.",
        "due": "By your plan this is to be sent: {message}.",
        "message": "Sent: {message}.",
        "pitch": "In these words: {text}",
        "left": "You may try {queries} more plan(s) on a stand-in for the decider; each costs {price}.",
        "unsure": "The stand-in errs: an answer is wrong with chance {wrong}, whatever the others were.",
        "tried": "You tried: {move} The stand-in chose {answer}.",
        "asked": "You asked about: {move}",
        "counts": "The trials are over. What you choose now counts.",
        "stand_in": "You stand in for a decider: say what that person would do.",
        "hint": "What you are told of that person is right with chance {accuracy}.",
        "Policy": "What is your plan? Give one row per kind, in the order listed above, with one number per message: the share of the "
                  "row's sum is how often that message is sent.",
        "Sent": "Which plan and which message do you want to try on the stand-in?",
        "Pitched": "Which plan and which message do you want to try on the stand-in, and in which words?",
        "Question": "Which question do you put?",
        "Answer": "In which group of that question is the type?",
        "Word": "Which message do you send?",
        "Say": "Put the message into your own words. The decider reads them beside the message and your plan.",
        "Act": "Which option is picked?",
    })

MARKET = Wording(
    name="market",
    unit="{} crown|{} crowns",
    scale=10,
    shift=50,
    order="reversed",
    labels={**{f"s{i + 1}": x for i, x in enumerate(("good", "bad", "middling"))}, "a1": "buy", "a2": "decline", "a3": "hire",
            **{f"q{i + 1}": f"test {i + 1}" for i in range(99)}, **{f"c{i + 1}": f"batch {i + 1}" for i in range(99)},
            "m1": "blue tag", "m2": "grey tag", "m3": "no tag", "sender": "The seller", "receiver": "The buyer",
            "simulator": "The model buyer"},
    texts={
        "offer": "You sell goods whose quality nobody can see. You fix a rule that says, for each quality, how often a good gets "
                 "each mark. A good is then drawn and marked by your rule, and the buyer, who knows the rule and sees the mark "
                 "but not the quality, decides.",
        "your_payoffs": "Your purse afterwards, by quality and decision:",
        "some": "Type {number}, {share} of the buyers you may meet, expects these qualities before seeing a mark: {belief}. Such a "
                "buyer's purse afterwards:",
        "one": "The buyer expects these qualities before seeing a mark: {belief}. The buyer's purse afterwards:",
        "messages": "The marks, in the order of the numbers of a row: {messages}.",
        "receiver": "You are offered a good whose quality you cannot see. You expect: {belief}. You will hear of a rule that says "
                    "how often each mark is put on goods of each quality, and see the mark that this good got by it. Then you "
                    "decide. Your purse afterwards, by quality and decision:",
        "scene": "Goods are on offer whose quality buyers cannot see. A rule says how often each mark is put on goods of each quality. "
                 "The buyer knows the rule, sees the mark and decides. A buyer's purse afterwards, by quality and decision:",
        "persona": "The buyer whose place you take {text}.",
        "temper_1": "believes that hardly any good is a good one",
        "temper_2": "is rather wary",
        "temper_3": "thinks that a good one is as likely as not",
        "temper_4": "is rather trusting",
        "temper_5": "believes that nearly all are good",
        "past": "What that buyer did before:",
        "choice": "  {move} Then: {action}.",
        "questions": "The model can be put to these tests alone, each of which says in which batch the buyer's type is:",
        "group": "{cell}: types {types}",
        "kin": "The buyer whose place you take is of type {number}.",
        "truth": "You now know the quality: {state}. You are not bound by the rule you announced.",
        "due": "By your rule this is the mark: {message}.",
        "message": "The mark: {message}.",
        "pitch": "With these words: {text}",
        "left": "You may try {queries} more rule(s) on a model of the buyer; each costs {price}.",
        "unsure": "The model errs: an answer is wrong with chance {wrong}, whatever the others were.",
        "tried": "You tried: {move} The model said {answer}.",
        "asked": "You asked about: {move}",
        "counts": "The trials are over. What you choose now counts.",
        "stand_in": "You model a buyer: say what that buyer would do.",
        "hint": "What you are told of that buyer is right with chance {accuracy}.",
        "Policy": "What is your rule? Give one row per quality, in the order listed above, with one number per mark: the share of the "
                  "row's sum is how often that mark is put.",
        "Sent": "Which rule and which mark do you want to try on the model?",
        "Pitched": "Which rule and which mark do you want to try on the model, and with which words?",
        "Question": "Which test do you make?",
        "Answer": "In which batch of that test is the type?",
        "Word": "Which mark do you put?",
        "Say": "Put the mark into your own words. The buyer reads them beside the mark and your rule.",
        "Act": "What is decided?",
    })
