# The whole developer interface; `make` alone prints it.
WORKERS ?= 2
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-6s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

demo: ## install what is missing, build a district with a month of incidents, serve it (ARGS="--scale 0.1 --days 7")
	@setup/install.sh demo
	@exec $(BIN)/gridmgr demo $(ARGS)

test: ## install what is missing, lint, run the whole suite (ARGS="tests/gis -k datum"; WORKERS=2)
	@setup/install.sh test
	@$(MAKE) --no-print-directory lint
	@exec $(BIN)/pytest -n $(WORKERS) --dist loadscope $(ARGS)

lint: ## check style and format
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

bench: ## measure our figures beside their peers, in one table
	@setup/install.sh test
	@exec $(BIN)/python -m benchmarks $(ARGS)

clean: ## remove what was built here; data in GRIDMGR_HOME stay
	rm -rf .venv node_modules web/static/vendor build .pytest_cache .ruff_cache .hypothesis *.egg-info
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
