#!/bin/sh -e
# One of the three brokers of compose.yaml: NODE_ID is its number, NODE_HOST its name.
properties=/tmp/server.properties
cat /etc/usage/server.properties > "$properties"
{
  echo "node.id=$NODE_ID"
  echo "advertised.listeners=BROKER://$NODE_HOST:9092"
} >> "$properties"

# Any fixed id will do: the three of them have to agree on it, for ever.
/opt/kafka/bin/kafka-storage.sh format --ignore-formatted \
  --cluster-id "${CLUSTER_ID:-AHVzYWdlLXJlcG9ydC0wMQ}" --config "$properties"

export LOG_DIR=/tmp/logs
export KAFKA_HEAP_OPTS="${KAFKA_HEAP_OPTS:--Xms1g -Xmx1g}"
# To the container's log, not to files.
export KAFKA_LOG4J_OPTS="${KAFKA_LOG4J_OPTS:--Dlog4j2.configurationFile=/opt/kafka/config/tools-log4j2.yaml}"
exec /opt/kafka/bin/kafka-server-start.sh "$properties"
