package io.quarry.agent.fix;

import io.quarry.agent.check.Checks;
import io.quarry.agent.check.OpenReview;
import io.quarry.agent.data.CopyPace;
import io.quarry.agent.data.Throttle;
import io.quarry.agent.data.process.Spawner;
import io.quarry.agent.repository.ConnectedRepository;
import io.quarry.agent.repository.Drain;
import io.quarry.agent.repository.Repository;
import io.quarry.agent.repository.SeenHeads;
import io.quarry.agent.repository.SubmitTransport;
import io.quarry.agent.storage.Checkpoint;
import io.quarry.agent.storage.directory.LocalfsFormat;
import io.quarry.common.api.CheckReport;
import io.quarry.coordinator.cluster.Candidate;
import io.quarry.coordinator.cluster.ClusterConnection;
import io.quarry.coordinator.cluster.ClusterIdentity;
import io.quarry.coordinator.cluster.HostRegistry;
import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.thread.Supervisor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/**
 * The parts of an agent without its loops: the story decides which worker runs, and when. The host
 * is drained, so that its SDMs grant no fixes by themselves.
 */
final class StoryHost implements AutoCloseable {
  private static final Duration SESSION = Duration.ofSeconds(30);
  private static final String FORMAT = "localfs-1.0";

  private final ClusterConnection cluster;
  private final HostRegistry registry;
  private final FixContext context;
  private final List<ConnectedRepository> repositories = new ArrayList<>();
  private final Checks checks;

  /**
   * @param incarnation of this life
   * @param dead lives that are proven over
   */
  StoryHost(
      String zooKeeper,
      Path directory,
      String incarnation,
      Clock clock,
      Spawner spawner,
      Set<String> dead)
      throws IOException {
    Path state = Files.createDirectories(directory.resolve("run"));
    Drain drain = new Drain(directory.resolve("drained"));
    drain.begin(clock.instant());
    Supervisor supervisor = new Supervisor();
    this.cluster = ClusterConnection.open(zooKeeper, SESSION, supervisor);
    this.registry = new HostRegistry(cluster, clock);
    this.context =
        new FixContext(
            key ->
                repositories.stream()
                    .filter(one -> one.key().equals(key))
                    .<Repository>map(one -> one)
                    .findAny(),
            worker -> dead.contains(worker.incarnation()),
            new SpaceBudget(key -> Optional.empty()),
            CopyPace.USUAL,
            Throttle.unlimited(),
            spawner,
            new LocalWriters(),
            state,
            clock);
    this.checks =
        new Checks(
            context,
            () -> repositories,
            List::of,
            new OpenReview(List::of, Duration.ofHours(24), context.clock()));
    var shared =
        new ConnectedRepository.Shared(
            null,
            cluster,
            registry,
            new Candidate("story", incarnation, "http://nowhere"),
            (endpoint, body, timeout) -> {
              throw new SubmitTransport.NotSentException("there is one host");
            },
            drain,
            new ClusterIdentity(cluster),
            new SeenHeads(directory.resolve("seen")),
            supervisor,
            clock);
    registry.start();
    for (String name : List.of("here", "there")) {
      Path root = Files.createDirectories(directory.resolve(name));
      Map<String, String> parameters = Map.of("path", root.toString());
      var repository =
          new ConnectedRepository(
              new ConnectedRepository.Identity(name, FORMAT, parameters),
              new LocalfsFormat().connect(parameters, true, incarnation),
              shared);
      repositories.add(repository);
      repository.start();
    }
  }

  List<ConnectedRepository> repositories() {
    return repositories;
  }

  CheckReport check(ConnectedRepository repository) throws IOException {
    return checks.run(repository);
  }

  Checks checks() {
    return checks;
  }

  FixContext context() {
    return context;
  }

  /** One epoch of a fix, for a worker of that name. */
  RunningFix running(
      ConnectedRepository repository,
      io.quarry.coordinator.plan.FixState fix,
      String name,
      long epoch)
      throws IOException {
    Checkpoint earlier = repository.storage().work().newestCheckpoint(fix.id());
    return new RunningFix(
        repository, fix, new Worker("story", name), epoch, earlier, context, ignored -> {});
  }

  @Override
  public void close() {
    repositories.forEach(ConnectedRepository::close);
    registry.close();
    cluster.close();
  }
}
