"""How long each stage of a case may take, and who hears of it when: dated tables of limits and ladders."""
