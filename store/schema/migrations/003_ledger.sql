-- +goose Up
-- Everything of one fund's book has the fund's key: an act that moves money locks one key.
CREATE TABLE ledger_account (
	key             TEXT    NOT NULL,
	id              TEXT    NOT NULL,
	kind            TEXT    NOT NULL,
	agency          TEXT    NOT NULL,
	currency        TEXT    NOT NULL,
	overdraft       INTEGER NOT NULL,
	subject         TEXT    NOT NULL, -- the payee, or empty
	sealed          BYTEA,             -- the payee's name and account number
	posted          BIGINT  NOT NULL,
	pending_debits  BIGINT  NOT NULL CHECK (pending_debits >= 0),
	pending_credits BIGINT  NOT NULL CHECK (pending_credits >= 0),
	entries         BIGINT  NOT NULL,
	event           TEXT    NOT NULL,
	PRIMARY KEY (key, id),
	CHECK (overdraft = 1 OR posted >= pending_debits)
){{clustered}};
CREATE INDEX ledger_account_subject ON ledger_account (key, subject) WHERE subject <> '';
CREATE INDEX ledger_account_fund ON ledger_account (id) WHERE kind = 'fund';

CREATE TABLE ledger_entry (
	key             TEXT   NOT NULL,
	account         TEXT   NOT NULL,
	number          BIGINT NOT NULL,
	transfer        TEXT   NOT NULL,
	posted          BIGINT NOT NULL,
	pending_debits  BIGINT NOT NULL,
	pending_credits BIGINT NOT NULL,
	at              BIGINT NOT NULL,
	event           TEXT   NOT NULL,
	PRIMARY KEY (key, account, number)
){{clustered}};

CREATE TABLE ledger_transfer (
	key           TEXT    NOT NULL,
	id            TEXT    NOT NULL,
	debit         TEXT    NOT NULL,
	credit        TEXT    NOT NULL,
	amount        BIGINT  NOT NULL CHECK (amount > 0),
	reason        TEXT    NOT NULL,
	reserve       INTEGER NOT NULL,
	payment_order TEXT    NOT NULL, -- or empty
	state         TEXT    NOT NULL,
	made          BIGINT  NOT NULL,
	settled       BIGINT,
	event         TEXT    NOT NULL,
	PRIMARY KEY (key, id)
){{clustered}};

CREATE TABLE payment_order (
	key         TEXT    NOT NULL,
	id          TEXT    NOT NULL,
	application TEXT    NOT NULL, -- or empty
	payee       TEXT    NOT NULL,
	subject     TEXT    NOT NULL,
	amount      BIGINT  NOT NULL CHECK (amount > 0),
	currency    TEXT    NOT NULL,
	remittance  TEXT    NOT NULL,
	prepared_by TEXT    NOT NULL, -- a JSON array of people
	by_rule     INTEGER NOT NULL,
	released_by TEXT    NOT NULL, -- or empty
	state       TEXT    NOT NULL,
	reason      TEXT    NOT NULL,
	sendings    INTEGER NOT NULL,
	prepared    BIGINT  NOT NULL,
	released    BIGINT,
	sent        BIGINT,
	settled     BIGINT,
	event       TEXT    NOT NULL,
	PRIMARY KEY (key, id)
){{clustered}};
CREATE INDEX payment_order_state ON payment_order (key, state, id);
