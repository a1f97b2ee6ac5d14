package io.quarry.agent;

import com.fasterxml.jackson.core.JsonProcessingException;
import io.micrometer.prometheusmetrics.PrometheusConfig;
import io.micrometer.prometheusmetrics.PrometheusMeterRegistry;
import io.quarry.agent.data.CopyPace;
import io.quarry.agent.data.Throttle;
import io.quarry.agent.data.process.Spawner;
import io.quarry.agent.fix.FixWorker;
import io.quarry.agent.fix.OwnWriters;
import io.quarry.agent.fix.PredecessorProof;
import io.quarry.agent.fix.SpaceBudget;
import io.quarry.agent.fix.Surroundings;
import io.quarry.agent.guardian.GuardianLink;
import io.quarry.agent.guardian.Incarnation;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.agent.repository.Drain;
import io.quarry.agent.repository.ForwardedRequest;
import io.quarry.agent.repository.SeenCommits;
import io.quarry.agent.server.ApiServer;
import io.quarry.agent.server.Health;
import io.quarry.agent.service.Connections;
import io.quarry.agent.service.Housekeeper;
import io.quarry.agent.service.Repositories;
import io.quarry.agent.service.StorageIo;
import io.quarry.agent.service.StorageService;
import io.quarry.agent.service.Tasks;
import io.quarry.common.api.ConnectRequest;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.Json;
import io.quarry.common.api.StorageException;
import io.quarry.common.client.ClientSettings;
import io.quarry.common.client.JsonHttp;
import io.quarry.common.client.StorageClient;
import io.quarry.coordinator.cluster.Candidate;
import io.quarry.coordinator.cluster.ClusterConnection;
import io.quarry.coordinator.cluster.ClusterIdentity;
import io.quarry.coordinator.cluster.ClusterUnavailableException;
import io.quarry.coordinator.cluster.HostRegistry;
import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.plan.Reply;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** One agent, wired by hand: everything that runs on a host. */
final class Agent implements AutoCloseable {
  private static final Logger LOG = LoggerFactory.getLogger(Agent.class);

  private final AgentConfig config;
  private final ClusterConnection cluster;
  private final HostRegistry registry;
  private final Repositories repositories;
  private final FixWorker fixes;
  private final StorageIo io;
  private final JsonHttp http;
  private final StorageService service;
  private final Presence presence;
  private final Housekeeper housekeeper;
  private final ConfiguredRepositories configured;
  private final ApiServer server;
  private volatile boolean ready;

  Agent(AgentConfig config, Optional<GuardianLink> guardian) throws IOException {
    this.config = config;
    Clock clock = Clock.systemUTC();
    String incarnation = guardian.map(GuardianLink::incarnation).orElseGet(Incarnation::fresh);
    Worker self = new Worker(config.hostId(), incarnation);
    Files.createDirectories(config.stateDirectory().resolve("run"));

    this.cluster = ClusterConnection.open(config.zookeeper(), config.sessionTimeout());
    this.registry = new HostRegistry(cluster, clock);
    guardian.ifPresent(link ->
        cluster.onSession(session ->
            link.sessionChanged(
                session, registry.proofOfDeath(config.hostId(), incarnation, "guardian"))));

    Connections connections = new Connections(config.stateDirectory().resolve("connections.json"));
    ClusterIdentity clusterIdentity = new ClusterIdentity(cluster);
    Drain drain = new Drain(config.stateDirectory().resolve("drained"));
    this.http = new JsonHttp();
    this.io = new StorageIo();
    Throttle throttle = new Throttle(config.throttleBytesPerSecond());
    this.repositories =
        new Repositories(
            new ConnectedRepository.Shared(
                cluster,
                registry,
                new Candidate(config.hostId(), incarnation, config.advertise().toString()),
                new HttpTransport(http),
                drain,
                clusterIdentity,
                new SeenCommits(config.stateDirectory().resolve("seen")),
                clock),
            io,
            connections);
    List<ConnectRequest> own = repositoriesAtStart(config, connections);
    own.forEach(repository -> repositories.expect(repository.repoId()));
    Surroundings around =
        new Surroundings(
            repositories::holder,
            proof(),
            new SpaceBudget(repositories::holder),
            CopyPace.USUAL,
            throttle,
            new Spawner(),
            new OwnWriters(),
            config.stateDirectory().resolve("run"),
            clock);
    this.fixes =
        new FixWorker(self, config.heavyFixesMax(), repositories::all, registry, drain, around);
    this.presence =
        new Presence(config, self, registry, repositories, fixes, drain, clusterIdentity, clock);
    Tasks tasks = new Tasks(config.hostId(), repositories, fixes, registry, drain, this::peer);
    this.service =
        new StorageService(
            self, repositories, fixes, tasks, io, around, registry, presence::changed);
    this.housekeeper = new Housekeeper(repositories, io, registry, clock);
    this.configured =
        new ConfiguredRepositories(
            own, repository -> connect(repository), ConfiguredRepositories.AGAIN);
    this.server =
        ApiServer.start(
            new ApiServer.Settings(
                config.listenAddress().getHostString(), config.listenAddress().getPort()),
            new ApiServer.Parts(
                service,
                this::health,
                this::submitted,
                new PrometheusMeterRegistry(PrometheusConfig.DEFAULT)));
  }

  /** The configuration goes before what calls have connected. */
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

  /** One that was disconnected meanwhile is not connected any more. */
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

  /** Joins the cluster and connects what the configuration names. */
  void start() {
    registry.start();
    presence.start();
    fixes.start();
    housekeeper.start();
    configured.start();
    ready = true;
    LOG.info("Host {} serves {}", config.hostId(), config.advertise());
  }

  /** ZooKeeper's word is enough: a proof can only be true, since no incarnation ever returns. */
  private PredecessorProof proof() {
    return worker -> {
      try {
        return registry.provenDead(worker.incarnation());
      } catch (ClusterUnavailableException e) {
        LOG.info("No proof of death to be had: {}", e.toString());
        return false;
      }
    };
  }

  private StorageClient peer(String endpoint) {
    return new StorageClient(List.of(URI.create(endpoint)), ClientSettings.DEFAULT);
  }

  private Health health() {
    return new Health(
        ready,
        Map.of(
            "hostId",
            config.hostId(),
            "zookeeper",
            cluster.connected() ? "connected" : "unreachable",
            "repositories",
            Integer.toString(repositories.all().size())));
  }

  /** Another agent believes that the SDM is here. */
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
    repositories.all().forEach(ConnectedRepository::close);
    presence.close();
    registry.close();
    cluster.close();
    io.close();
    http.close();
  }
}
