package io.quarry.agent.fix;

import io.quarry.agent.data.CopyPace;
import io.quarry.agent.data.Throttle;
import io.quarry.agent.data.process.Spawner;
import io.quarry.coordinator.plan.FixState;
import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import io.quarry.coordinator.sim.Life;
import io.quarry.coordinator.sim.SimFileSystem;
import io.quarry.coordinator.sim.SimMount;
import io.quarry.coordinator.sim.SimMount.LinkFault;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** One life of an agent: its storage, its work, and its failures. */
final class SimLife {
  private static final int WINDOW_BYTES = 2 * SimContent.BLOCK_BYTES;

  /** The worker's own thread moves the data, and no window is slow. */
  private static final CopyPace PACE = new CopyPace(WINDOW_BYTES, 0, () -> 0);

  private static final int HANG_STEPS_MAX = 2_000;

  /** Seconds. */
  private static final int SKEW_MAX = 60;

  private static final Spawner NO_TOOLS = new Spawner();

  private final SimWorld world;
  private final Worker self;
  private final Duration skew;
  private final Life life = new Life();
  private final SimMount mount;
  private final FixContext context;
  private final Map<String, SimRepository> repositories = new TreeMap<>();

  /** Nothing pauses, since the simulation has no time. */
  private final GrantLedger ledger = new GrantLedger(new Backoff(Duration.ZERO, Duration.ZERO));

  /** The running heavy fixes. */
  private final Map<String, RunningFix> running = new TreeMap<>();

  private final Set<String> taken = new HashSet<>();
  private boolean connected;
  private boolean hung;

  SimLife(SimWorld world, Worker self) {
    this.world = world;
    this.self = self;
    this.skew = Duration.ofSeconds(world.calm() ? 0 : world.random().nextInt(-SKEW_MAX, SKEW_MAX));
    this.mount = new SimMount(world.disk(), this::reach);
    this.context =
        new FixContext(
            key -> Optional.ofNullable(repositories.get(key)),
            world::proven,
            new SpaceBudget(key -> Optional.empty()),
            PACE,
            Throttle.unlimited(),
            NO_TOOLS,
            new LocalWriters(),
            Path.of("/nowhere"),
            clock());
  }

  /** A thread that asks a hanging storage waits, and the rest of the agent continues. */
  void reach(String what) {
    if (hung) {
      var _ = life.await(() -> !hung, HANG_STEPS_MAX, "hangs: " + what);
      hung = false;
    }
    life.step(what);
  }

  void hang() {
    hung = true;
  }

  /** Opens the storage and reads the logs, which takes several steps and may fail. */
  void connect() throws IOException {
    try {
      for (SimPlace place : world.places()) {
        repositories.put(place.key(), new SimRepository(world, this, place));
      }
      connected = true;
    } finally {
      if (!connected) {
        life.end();
      }
    }
  }

  /** Each host's clock shows another time. */
  InstantSource clock() {
    return () -> world.clock().instant().plus(skew);
  }

  boolean connected() {
    return connected;
  }

  Worker self() {
    return self;
  }

  Life life() {
    return life;
  }

  SimFileSystem files() {
    return mount.files();
  }

  SimMount mount() {
    return mount;
  }

  SimRepository repository(String key) {
    return Objects.requireNonNull(repositories.get(key));
  }

  boolean damaged() {
    return repositories.values().stream().anyMatch(SimRepository::damaged);
  }

  /** Runs one fix, if this life has seen one that it is free to run and can run here. */
  boolean work(String key, Random random) throws IOException {
    SimRepository repository = repository(key);
    RepositoryState state =
        (random.nextBoolean() ? repository.refresh() : repository.state()).repository();
    retain();
    List<FixState> fixes = new ArrayList<>();
    for (FixState fix : state.fixes().values()) {
      if (fix.runnable() && (fix.heavy() ? mayClaim(key, fix, state) : self.equals(fix.worker()))) {
        fixes.add(fix);
      }
    }
    fixes.sort(Comparator.comparing(FixState::id));
    if (random.nextBoolean()) {
      Collections.shuffle(fixes, random);
    }
    for (FixState fix : fixes) {
      if (fix.heavy()) {
        claim(repository, fix);
        return true;
      }
      if (ledger.begin(repository, fix)) {
        doGranted(repository, fix);
        return true;
      }
    }
    return false;
  }

  private void doGranted(SimRepository repository, FixState fix) {
    RunningFix run =
        new RunningFix(repository, fix, self, fix.epoch(), null, context, ignored -> {});
    FixExecution.End end = FixExecution.End.TROUBLE;
    try {
      end = FixExecution.run(run);
    } finally {
      if (!life.over()) {
        boolean troubled = end == FixExecution.End.TROUBLE || end == FixExecution.End.LET_GO;
        var _ = ledger.end(repository, fix, troubled);
      }
    }
  }

  /** Forgets fixes that the logs, as this host sees them, no longer grant to it. */
  private void retain() {
    Set<String> held = new HashSet<>();
    for (SimRepository repository : repositories.values()) {
      for (String fixId : repository.state().repository().work().heldBy(self.incarnation())) {
        held.add(GrantLedger.key(repository, fixId));
      }
    }
    ledger.retain(held);
  }

  private boolean mayClaim(String key, FixState fix, RepositoryState state) {
    return world.isRawCopy(fix, state) && !taken.contains(key + "/" + fix.id());
  }

  private void claim(SimRepository repository, FixState fix) throws IOException {
    String name = repository.key() + "/" + fix.id();
    taken.add(name);
    try {
      RunningFix run =
          new EpochClaim(self, context, ignored -> {}).take(repository, fix.id(), fix.failures());
      if (run != null) {
        running.put(name, run);
        FixExecution.run(run);
        notice(world.place(repository.key()), run);
      }
    } finally {
      running.remove(name);
      taken.remove(name);
    }
  }

  /** Notes whether the run has continued after another epoch's file was published. */
  private void notice(SimPlace place, RunningFix run) {
    Volume volume = place.state().volumes().get(String.valueOf(run.fix().volumeId()));
    String own = run.checkpoint().file();
    if (volume != null && volume.file() != null && own != null && !own.equals(volume.file())) {
      world.count("zombies");
    }
    world.count(run.epoch() == 1 ? "first epochs" : "later epochs");
  }

  @Nullable RunningFix anyRunning(Random random) {
    List<RunningFix> all = List.copyOf(running.values());
    return all.isEmpty() ? null : all.get(random.nextInt(all.size()));
  }

  /** Decides whether the storage is to fail soon. */
  void disturb(Random random) throws IOException {
    switch (random.nextInt(40)) {
      case 0 -> mount.nextLinks(LinkFault.LOST_REPLY);
      case 1 -> mount.nextLinks(LinkFault.DELAYED);
      case 2 -> mount.failWrites(1);
      case 3 -> mount.nextLinks(LinkFault.DELAYED, LinkFault.LOST_REPLY);
      case 4 -> mount.failReads(1);
      case 5, 6 -> mount.freezeListing(anyDirectory(random));
      case 7, 8 -> mount.landDelayed();
      case 9 -> mount.nextLinks(LinkFault.SENT_TWICE);
      case 10 -> mount.failForces(1);
      case 11 -> mount.failForces(2);
      case 12 -> mount.failWrites(2);
      case 13 -> mount.fill(1 + random.nextInt(6));
      default -> {}
    }
    for (SimRepository repository : repositories.values()) {
      repository.disturb(random);
    }
  }

  private String anyDirectory(Random random) {
    List<String> keys = List.copyOf(repositories.keySet());
    return "/" + keys.get(random.nextInt(keys.size())) + "/log";
  }
}
