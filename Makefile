# Each target is one script in dev/, which says more about itself at its top.
help:  ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 8
demo:  ## encrypted carrier events to queryable rows, on real servers, with a summary
	@dev/demo
test:  ## every test, the end-to-end ones included
	@dev/test
chaos: ## break a running pipeline for MINUTES, by SEED, and see that every event is there once
	@dev/chaos
attack: ## try all that a hostile writer can at once, FOR seconds, beside carriers that mean well
	@dev/attack
model: ## check the sink's protocol in larger worlds (about 4 minutes)
	@WAYBILL_MODEL=large cargo test --release --locked -p waybill-host --test model -- --nocapture
simulate: ## run the host through HISTORIES of faults, from SEED on, on servers in memory
	@dev/simulate
bench: ## events per second of each stage, and of the whole
	@dev/bench
up:    ## start Kafka and ClickHouse
	@dev/setup kafka clickhouse && dev/servers up
down:  ## end what `make up` started
	@dev/servers down
check: ## formatting, lints, dependencies
	@dev/check

.PHONY: help demo test chaos attack model simulate bench up down check
