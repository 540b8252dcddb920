# Each target is one script in dev/, which says more about itself at its top.
help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 8
demo:  ## encrypted carrier events to queryable rows, on real servers, with a summary
	@dev/demo
test:  ## every test, the end-to-end ones included
	@dev/test
bench: ## events per second of each stage, and of the whole
	@dev/bench
up:    ## start Kafka and ClickHouse
	@dev/setup kafka clickhouse && dev/servers up
down:  ## end what `make up` started
	@dev/servers down
check: ## formatting, lints, dependencies
	@dev/check

.PHONY: help demo test bench up down check
