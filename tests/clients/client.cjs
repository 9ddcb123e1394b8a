/*
 * A program measured with the OpenTelemetry JavaScript SDK: the workload of client.py beside it,
 * with the same arguments. CommonJS, so that NODE_PATH says where the packages are.
 */
'use strict';

const { existsSync } = require('fs');
const { defaultResource, resourceFromAttributes } = require('@opentelemetry/resources');
const {
    AggregationTemporality,
    MeterProvider,
    PeriodicExportingMetricReader,
} = require('@opentelemetry/sdk-metrics');
const grpc = require('@opentelemetry/exporter-metrics-otlp-grpc');
const http = require('@opentelemetry/exporter-metrics-otlp-proto');

const EXPORT_MS = 1000;
const STEP_MS = 200;
const BOUNDS = [0.01, 0.05, 0.1, 0.5, 1.0];
const LATENCIES = [0.004, 0.03, 0.07, 0.2, 0.7]; // one for each bucket but the last

function exporter(options) {
    const shared = {
        compression: options.gzip ? 'gzip' : 'none',
        temporalityPreference: options.delta
            ? AggregationTemporality.DELTA
            : AggregationTemporality.CUMULATIVE,
    };
    if (options.transport === 'grpc')
        return new grpc.OTLPMetricExporter({ ...shared, url: `http://${options.endpoint}` });
    return new http.OTLPMetricExporter({
        ...shared,
        url: `http://${options.endpoint}/v1/metrics`,
    });
}

function noteResults(exporter, counted) {
    const send = exporter.export.bind(exporter);
    exporter.export = (metrics, done) =>
        send(metrics, (result) => {
            counted.acknowledged = result.code === 0; // ExportResultCode.SUCCESS
            done(result);
        });
    return exporter;
}

const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/*
 * Start times are milliseconds. Replicas that nothing else tells apart must not begin within the same
 * one, or nobody could: each begins in its own part of a tenth of a second.
 */
function waitForPhase(phaseMs) {
    while (Date.now() % 100 < phaseMs || Date.now() % 100 >= phaseMs + 5);
}

async function main() {
    const options = JSON.parse(process.argv[2]);
    const counted = { orders: 0, latency_count: 0, latency_sum: 0, acknowledged: false };
    const attributes = { 'service.name': options.service };
    if (options.instance) attributes['service.instance.id'] = options.instance;
    const provider = new MeterProvider({
        resource: defaultResource().merge(resourceFromAttributes(attributes)),
        readers: [
            new PeriodicExportingMetricReader({
                exporter: noteResults(exporter(options), counted),
                exportIntervalMillis: EXPORT_MS,
                exportTimeoutMillis: EXPORT_MS,
            }),
        ],
    });
    const meter = provider.getMeter('workload');
    const orders = meter.createCounter('orders', { unit: '{order}' });
    const latency = meter.createHistogram('latency', {
        unit: 's',
        advice: { explicitBucketBoundaries: BOUNDS },
    });
    const inFlight = meter.createUpDownCounter('in_flight', { unit: '{order}' });
    const temperature = meter.createGauge('temperature', { unit: 'Cel' });

    if (options.phase_ms !== undefined) waitForPhase(options.phase_ms);
    inFlight.add(5);
    const isOver = () =>
        Date.now() / 1000 >= options.until || existsSync(options.stop_file || '');
    for (let step = 0; !isOver(); step++) {
        orders.add(1 + (step % 3), { kind: step % 2 ? 'book' : 'toy' });
        latency.record(LATENCIES[step % 5], { route: step % 3 ? '/a' : '/b' });
        temperature.record(Date.now() / 1000 < options.middle ? 10.5 : 20.25);
        counted.orders += 1 + (step % 3);
        counted.latency_count += 1;
        counted.latency_sum += LATENCIES[step % 5];
        await sleep(STEP_MS);
    }
    inFlight.add(-2);
    await provider.shutdown();
    console.log(JSON.stringify(counted));
}

main().catch((error) => {
    console.error(error);
    process.exit(1);
});
