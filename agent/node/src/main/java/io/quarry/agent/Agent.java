package io.quarry.agent;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.micrometer.core.instrument.FunctionCounter;
import io.micrometer.core.instrument.MeterRegistry;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.quarry.agent.check.OpenReview;
import io.quarry.agent.data.CopyPace;
import io.quarry.agent.data.process.Spawner;
import io.quarry.agent.fix.FixContext;
import io.quarry.agent.fix.FixScheduler;
import io.quarry.agent.fix.LocalWriters;
import io.quarry.agent.fix.PriorWriterProof;
import io.quarry.agent.fix.SpaceBudget;
import io.quarry.agent.guardian.GuardianLink;
import io.quarry.agent.guardian.Incarnation;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.agent.repository.Drain;
import io.quarry.agent.repository.ForwardedRequest;
import io.quarry.agent.repository.SeenHeads;
import io.quarry.agent.repository.ThisHost;
import io.quarry.agent.server.ApiServer;
import io.quarry.agent.server.ServerLimits;
import io.quarry.agent.service.Connections;
import io.quarry.agent.service.Housekeeper;
import io.quarry.agent.service.KeptThrottle;
import io.quarry.agent.service.Repositories;
import io.quarry.agent.service.StorageIo;
import io.quarry.agent.service.StorageService;
import io.quarry.agent.service.Tasks;
import io.quarry.agent.storage.RepositoryFormats;
import io.quarry.common.api.ConnectRequest;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.Json;
import io.quarry.common.api.StorageException;
import io.quarry.common.client.JsonHttp;
import io.quarry.coordinator.cluster.Candidate;
import io.quarry.coordinator.cluster.ClusterConnection;
import io.quarry.coordinator.cluster.ClusterIdentity;
import io.quarry.coordinator.cluster.ClusterUnavailableException;
import io.quarry.coordinator.cluster.HostRegistry;
import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.plan.Reply;
import io.quarry.coordinator.thread.Supervisor;
import io.quarry.coordinator.thread.Tally;
import java.io.IOException;
import java.nio.file.Files;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One agent, wired by hand: all parts that run on a host. */
final class Agent implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Agent.class);

  /** For tests: a host whose clock is wrong. */
  private static final Duration CLOCK_OFFSET =
      Duration.parse(System.getProperty("quarry.clock.offset", "PT0S"));

  private final AgentConfig config;
  private final Supervisor supervisor;
  private final ClusterConnection cluster;
  private final HostRegistry registry;
  private final RepositoryFormats formats;
  private final Repositories repositories;
  private final FixScheduler fixes;
  private final StorageIo io;
  private final JsonHttp http;
  private final StorageService service;
  private final Presence presence;
  private final Housekeeper housekeeper;
  private final ConfiguredRepositories configured;
  private final ApiServer server;
  private final HealthReport health;
  private volatile boolean ready;

  Agent(AgentConfig config, Optional<GuardianLink> guardian, Supervisor supervisor)
      throws IOException {
    this.config = config;
    this.supervisor = supervisor;
    PrometheusMeterRegistry metrics = new PrometheusMeterRegistry(PrometheusConfig.DEFAULT);
    supervisor.onName(tally -> count(tally, metrics));
    Clock clock = Clock.offset(Clock.systemUTC(), CLOCK_OFFSET);
    String incarnation = guardian.map(GuardianLink::incarnation).orElseGet(Incarnation::fresh);
    Files.createDirectories(config.stateDirectory().resolve("run"));
    Worker self = new Worker(config.hostId(), incarnation);
    ThisHost host = new ThisHost(self, HostIdentity.load(config.stateDirectory()));

    this.cluster = ClusterConnection.open(config.zookeeper(), config.sessionTimeout(), supervisor);
    this.registry = new HostRegistry(cluster, clock);
    guardian.ifPresent(link ->
        cluster.onSession(session ->
            link.sessionChanged(
                session, registry.proofOfDeath(config.hostId(), incarnation, "guardian"))));

    Connections connections = new Connections(config.stateDirectory().resolve("connections.json"));
    ClusterIdentity clusterIdentity = new ClusterIdentity(cluster);
    Drain drain = new Drain(config.stateDirectory().resolve("drained"));
    this.http = JsonHttp.forwarding(config.hostId());
    this.io = new StorageIo(supervisor);
    KeptThrottle throttle =
        new KeptThrottle(
            config.stateDirectory().resolve("throttle.json"), config.throttleBytesPerSecond());
    Spawner spawner = new Spawner();
    this.formats =
        Formats.of(config.stateDirectory(), HostIdentity.key(config.stateDirectory()), spawner);
    this.repositories =
        new Repositories(
            new ConnectedRepository.Shared(
                host.boot(),
                cluster,
                registry,
                new Candidate(config.hostId(), incarnation, config.advertise().toString()),
                new HttpTransport(http),
                drain,
                clusterIdentity,
                new SeenHeads(config.stateDirectory().resolve("seen")),
                supervisor,
                clock),
            io,
            connections,
            formats);
    List<ConnectRequest> own = repositoriesAtStart(config, connections);
    own.forEach(repository -> repositories.expect(repository.repoId()));
    FixContext context =
        new FixContext(
            repositories::holder,
            proof(),
            new SpaceBudget(repositories::holder),
            CopyPace.USUAL,
            throttle.throttle(),
            spawner,
            new LocalWriters(),
            config.stateDirectory().resolve("run"),
            clock);
    this.fixes =
        new FixScheduler(
            self, config.heavyFixesMax(), repositories::all, registry, drain, context, supervisor);
    this.presence =
        new Presence(config, host, registry, repositories, fixes, drain, clusterIdentity, clock);
    Tasks tasks =
        new Tasks(
            config.hostId(),
            repositories,
            io,
            fixes,
            registry,
            drain,
            throttle,
            new HttpPeers(config.hostId(), http));
    OpenReview opens = new OpenReview(registry::live, config.uploadIdleTimeout(), clock);
    this.service =
        new StorageService(
            host,
            repositories,
            fixes,
            tasks,
            io,
            context,
            registry,
            opens,
            this::connectionsChanged,
            supervisor);
    this.housekeeper = new Housekeeper(host, repositories, io, registry, opens, context, clock);
    this.configured = new ConfiguredRepositories(own, this::connect, ConfiguredRepositories.AGAIN);
    this.health =
        new HealthReport(
            config.hostId(), cluster, registry, repositories, configured::waiting, supervisor);
    this.server =
        ApiServer.start(
            new ApiServer.Settings(
                config.listenAddress().getHostString(),
                config.listenAddress().getPort(),
                ServerLimits.DEFAULT.with(
                    config.server().connectionsMax(), config.server().keepAliveTimeout()),
                config.serverNames()),
            new ApiServer.Parts(service, () -> health.now(ready), this::submitted, metrics));
  }

  /** The configuration's entries win over connections that calls have made. */
  private static List<ConnectRequest> repositoriesAtStart(
      AgentConfig config, Connections connections) {
    List<ConnectRequest> all = new ArrayList<>(config.repositories());
    Set<String> named =
        config.repositories().stream().map(ConnectRequest::repoId).collect(Collectors.toSet());
    connections.persistent().stream()
        .filter(each -> !named.contains(each.repoId()))
        .forEach(all::add);
    return List.copyOf(all);
  }

  /** A repository that was disconnected meanwhile is not connected any more. */
  private void connect(ConnectRequest repository) {
    if (!repositories.expects(repository.repoId())) {
      return;
    }
    if (config.repositories().contains(repository)) {
      service.connectConfigured(repository);
    } else {
      service.connectStorageRepository(repository);
    }
  }

  private void connectionsChanged() {
    presence.changed();
    housekeeper.connectionsChanged();
  }

  /** Joins the cluster and connects the repositories of the configuration. */
  void start() {
    registry.start();
    presence.start(supervisor);
    fixes.start();
    housekeeper.start(supervisor);
    configured.start(supervisor);
    ready = true;
    LOG.info("Host {} serves {}", config.hostId(), config.advertise());
  }

  /** A proof in ZooKeeper is enough, since no incarnation ever returns. */
  private PriorWriterProof proof() {
    return worker -> {
      try {
        return registry.provenDead(worker.incarnation());
      } catch (ClusterUnavailableException e) {
        LOG.info("No proof of death to be had: {}", e.toString());
        return false;
      }
    };
  }

  private static void count(Tally tally, MeterRegistry metrics) {
    var _ =
        FunctionCounter.builder("quarry.thread.failures", tally, Tally::failures)
            .description("How often what runs under that name has failed")
            .tag("thread", tally.name())
            .register(metrics);
  }

  /** Answers another agent that believes the SDM to be here. */
  private byte[] submitted(byte[] body) {
    ForwardedRequest forwarded = ForwardedRequest.read(body);
    ConnectedRepository repository =
        repositories
            .byKey(forwarded.repositoryKey())
            .orElseThrow(() ->
                new StorageException(
                    ErrorCode.SDM_UNAVAILABLE,
                    "the repository is not connected on host " + config.hostId(),
                    forwarded.repositoryKey(),
                    "ask again when the election has settled"));
    Reply reply = repository.commitHere(forwarded.id(), forwarded.request());
    try {
      return Json.MAPPER.writeValueAsBytes(reply);
    } catch (JsonProcessingException e) {
      throw new IllegalStateException("a reply cannot be written as JSON", e);
    }
  }

  @Override
  public void close() {
    LOG.info("Host {} stops", config.hostId());
    configured.close();
    server.close();
    service.close();
    housekeeper.close();
    fixes.close();
    formats.agentEnds();
    repositories.all().forEach(ConnectedRepository::close);
    presence.close();
    registry.close();
    cluster.close();
    io.close();
    http.close();
  }
}
