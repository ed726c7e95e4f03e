# The commands of the book. Each is one function in tools/make.py; this file only
# finds a Python that is new enough to run it.

# PYTHON=/path/to/python names another interpreter; PORT= another port to serve on;
# ARGS= hands words on: to pytest, modules to mutants, names to recordings
# and bench.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11 python; do \
	"$$p" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	&& { echo "$$p"; break; }; done)
# NAME= is the part and the name of a new chapter, TITLE= its heading.
# COLAB= names the Python that make colab makes its environment with.
PORT ?= 8000
COLAB ?=
ARGS ?=
# Not from the environment, where other things have a NAME.
NAME =
TITLE =

.DEFAULT_GOAL := help
.PHONY: help book test test-all moved-seeds mutants recordings bench colab handout pdf \
	new-chapter serve lint clean distclean python

help:
	@echo "make book         environment, all chapters executed, site in _build/html"
	@echo "make test         all that guards a change; builds the book first where needed"
	@echo "make test-all     that, and what is too slow for every change (the PDF, Binder's memory)"
	@echo "make moved-seeds  tests and chapters with every seed moved: is a claim luck? (an hour)"
	@echo "make mutants      breaks the package on purpose: do the tests notice? (ten minutes)"
	@echo "make recordings   runs afresh what is too long for a chapter (see README)"
	@echo "make bench        speed beside other libraries (all of MNIST, a quarter of an hour)"
	@echo "make handout      the notebooks without their solutions, in _build/handout"
	@echo "make colab        runs the exported notebooks in an environment like Colab's"
	@echo "make pdf          the whole book in _build/the-jensen-gap.pdf (wants a Chromium)"
	@echo "make new-chapter NAME=gan/wasserstein   a chapter from the template (TITLE= its heading)"
	@echo "make serve        the site on http://127.0.0.1:$(PORT)/ (PORT= another port)"
	@echo "make lint         ruff and codespell"
	@echo "make clean        removes the site and what the chapters computed"
	@echo "make distclean    removes the environment (.venv) as well"
	@echo "Python 3.11 or newer is needed; PYTHON=/path/to/python names one."

python:
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	echo "Python 3.11 or newer is wanted, '$(or $(PYTHON),none)' was found."; \
	echo "Install one, or name one: make $(firstword $(MAKECMDGOALS)) PYTHON=/path/to/python"; \
	exit 1; }

book handout pdf lint clean distclean: python
	@"$(PYTHON)" -m tools.make $@

serve: python
	@"$(PYTHON)" -m tools.make serve $(PORT)

colab: python
	@"$(PYTHON)" -m tools.make colab $(COLAB)

# A name may hold anything, a quotation mark too: make.py says what is wrong with it.
quoted = '$(subst ','\'',$(1))'
new-chapter: python
	@"$(PYTHON)" -m tools.make $@ $(call quoted,$(NAME)) $(call quoted,$(TITLE))

test test-all moved-seeds mutants recordings bench: python
	@"$(PYTHON)" -m tools.make $@ $(ARGS)
