"""Games: parameters in, mathematics out. No effects. One game per file; the file's name is the game's name."""
HELPERS = ("adaptive_contract_words", "announced_policy_words", "base", "battle_of_the_sexes_words", "contract_solutions", "contracting",
           "delegated_classification_words", "engagement_breaks_words", "leading", "persuading", "persuading_words", "persuasive",
           "private_cuts", "private_family", "private_sketches", "prompting_words", "repeated", "screened_contract_words",
           "sealed_bid", "sealed_bid_words", "text_contract_words", "written_prompting_words", "written_sample")
