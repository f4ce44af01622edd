-- A shop database as twotower made it before migrations: schema version 1.
CREATE TABLE schema_version (
	version INTEGER NOT NULL
);
CREATE TABLE events (
	sequence INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	event_id VARCHAR NOT NULL, 
	visitor_id VARCHAR NOT NULL, 
	user_id VARCHAR, 
	item_id VARCHAR NOT NULL, 
	event VARCHAR NOT NULL, 
	time INTEGER NOT NULL, 
	received INTEGER NOT NULL, 
	request_id VARCHAR, 
	UNIQUE (event_id)
);
CREATE INDEX events_of_user ON events (user_id, time, sequence);
CREATE INDEX events_of_visitor ON events (visitor_id, time, sequence);
CREATE TABLE products (
	sequence INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	item_id VARCHAR NOT NULL, 
	body TEXT NOT NULL, 
	updated INTEGER NOT NULL, 
	UNIQUE (item_id)
);
INSERT INTO schema_version VALUES (1);
INSERT INTO events VALUES
	(1, 'a', 'v1', NULL, 'kettle', 'view', 1763000000000, 1763000000001, NULL),
	(2, 'b', 'v1', 'ann', 'lamp', 'cart', 1763000000100, 1763000000101, 'r1'),
	(5, 'c', 'v2', NULL, 'lamp', 'purchase', 1763000000050, 1763000000201, NULL);
INSERT INTO products VALUES
	(1, 'one', '{"title":"Kettle","price":9.5}', 1763000000002),
	(3, 'two', '{"title":"Größe 42 ☃"}', 1763000000003);
