package io.quarry.agent.fix;

import io.quarry.agent.storage.directory.SimStorage;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.FixType;
import io.quarry.common.model.VolumeFormat;
import io.quarry.coordinator.plan.FixState;
import io.quarry.coordinator.plan.FixState.Worker;
import io.quarry.coordinator.plan.Image;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Volume;
import io.quarry.coordinator.sim.Baton;
import io.quarry.coordinator.sim.Schedules;
import io.quarry.coordinator.sim.SimDisk;
import io.quarry.coordinator.sim.SimMount;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A cluster in one process, one step of one thread at a time. The cluster has hosts with real SDMs,
 * claims, fixes and copies on a simulated storage, callers, and guests that write. ZooKeeper's
 * answers must never matter for safety, so they are random: any life may be elected, get a fix or
 * claim one, at any time.
 */
final class SimWorld implements Schedules.History {
  private static final List<String> KEYS = List.of("here", "there");

  /** In one of so many histories the logs are on blocks. */
  private static final int ON_BLOCKS_ONE_IN = 8;

  private static final int HOSTS = 3;
  private static final int WORKERS_PER_HOST = 2;
  private static final int CALLERS = 2;
  private static final int GUESTS = 2;
  private static final double DEATHS = 0.000_3;

  /** Steps between two power cuts, at most. */
  private static final List<Integer> POWER_LASTS = List.of(1_000, 6_000);

  private static final List<String> POWER_AIMS = List.of("log", "volumes", "fixes", "fixes");

  private final Random random;
  private final SimDisk disk = new SimDisk(this::linked);
  private final SimMount calmMount = new SimMount(disk, step -> {});
  private final Map<String, SimPlace> places = new TreeMap<>();
  private final @Nullable SimLife[] hosts = new SimLife[HOSTS];
  private final List<SimLife> formerLives = new ArrayList<>();
  private final Set<String> proven = new HashSet<>();
  private final boolean powerCuts;
  private final Map<String, Integer> counts = new TreeMap<>();
  private final SimCaller[] callers = new SimCaller[CALLERS];
  private final SimGuest[] guests = new SimGuest[GUESTS];
  private final SimRequests requests = new SimRequests(this);

  private Instant now = Instant.parse("2026-01-01T00:00:00Z");
  private final Baton wild;
  private Baton baton;
  private int busy = CALLERS + GUESTS;
  private int numbers;
  private boolean calm;

  private SimWorld(long seed) throws IOException {
    this.random = new Random(seed);
    this.wild = new Baton(random, DEATHS);
    this.baton = wild;
    this.powerCuts = random.nextBoolean();
    Random blocks = Math.floorMod(seed, ON_BLOCKS_ONE_IN) == 0 ? random : null;
    for (String key : KEYS) {
      SimPlace place = new SimPlace(key, calmMount.files().getPath("/" + key), this::place, blocks);
      places.put(key, place);
      SimStorage.create(place.root());
    }
    disk.forceAll();
  }

  static SimWorld of(long seed) throws IOException {
    return new SimWorld(seed);
  }

  Random random() {
    return random;
  }

  SimRequests requests() {
    return requests;
  }

  SimDisk disk() {
    return disk;
  }

  Baton baton() {
    return baton;
  }

  InstantSource clock() {
    return () -> now;
  }

  void pass(Duration time) {
    now = now.plus(time);
  }

  Iterable<SimPlace> places() {
    return places.values();
  }

  SimPlace place(String key) {
    return Objects.requireNonNull(places.get(key));
  }

  SimPlace anyPlace() {
    return place(KEYS.get(random.nextInt(KEYS.size())));
  }

  SimPlace other(SimPlace place) {
    return place(KEYS.get(1 - KEYS.indexOf(place.key())));
  }

  String fresh(String what) {
    return what + numbers++;
  }

  /** Whether the fix copies data, and needs no tools. */
  boolean isRawCopy(FixState fix, RepositoryState state) {
    Volume volume = state.volumes().get(String.valueOf(fix.volumeId()));
    return fix.type() == FixType.MEND && volume != null && isRawCopy(volume);
  }

  /** The caller may have seen a raw disk that is an overlay by now. */
  boolean isRawCopy(Volume volume) {
    if (volume.source() == null || volume.format() != VolumeFormat.RAW) {
      return false;
    }
    RepositoryState holder = place(volume.source().repositoryKey()).state();
    Image source = holder.images().get(volume.source().imageId());
    return source == null || holder.volumeOf(source).format() == VolumeFormat.RAW;
  }

  /** The number of commits so far. */
  long commits() {
    long commits = 0;
    for (SimPlace place : places.values()) {
      commits += place.newest().sequence();
    }
    return commits;
  }

  /** No caller makes any more calls. */
  boolean over() {
    return busy == 0;
  }

  /** For the report, and for judging whether histories are hard enough. */
  void count(String what) {
    counts.merge(what, 1, Integer::sum);
  }

  Map<String, Integer> counts() {
    return counts;
  }

  void finished() {
    busy--;
  }

  boolean proven(Worker worker) {
    return proven.contains(worker.incarnation());
  }

  private void linked(String path, byte[] content) {
    String[] parts = path.split("/", -1);
    if (parts.length == 4 && parts[2].equals("log")) {
      place(parts[1]).linked(parts[3], content);
    }
  }

  @Override
  public void run() throws Exception {
    try {
      for (int i = 0; i < CALLERS; i++) {
        callers[i] = new SimCaller(this);
        SimCaller caller = callers[i];
        baton.addImmortal("caller" + i, self -> caller.callAll());
      }
      for (int i = 0; i < GUESTS; i++) {
        guests[i] = new SimGuest(this, "vm" + i);
        SimGuest guest = guests[i];
        baton.addImmortal("guest" + i, self -> guest.useAll());
      }
      addHosts(HOSTS, WORKERS_PER_HOST);
      if (powerCuts) {
        baton.addUrgent("power", this::cutPower);
      }
      baton.run();
      calmDown();
    } catch (AssertionError e) {
      throw new AssertionError(String.join("\n", trace()), e);
    }
  }

  /** The steps so far, for the report. */
  List<String> trace() {
    List<String> trace = new ArrayList<>(wild.trace());
    if (calm) {
      trace.add("-- calm --");
      trace.addAll(baton.trace());
    }
    return trace;
  }

  private void addHosts(int count, int workers) {
    SimCluster cluster = new SimCluster(this);
    baton.addImmortal("cluster", cluster::rule);
    baton.addImmortal("sleeper", requests::wakeUp);
    for (int i = 0; i < count * workers; i++) {
      int host = i % count;
      boolean first = i < count;
      baton.addImmortal("worker" + i, self -> work(self, host, first));
    }
  }

  /**
   * Every caller without an answer repeats its call, all fixes are done, and all images are right.
   */
  private void calmDown() throws IOException {
    endLives();
    calm = true;
    baton = new Baton(random, 0);
    busy = 1;
    pass(Duration.ofDays(1));
    baton.addImmortal("caller", self -> new SimSettlement(this, self).settle(callers, guests));
    addHosts(1, 1);
    baton.run();
    for (SimPlace place : places()) {
      place.checkLog();
      place.checkFiles();
    }
  }

  boolean calm() {
    return calm;
  }

  /**
   * The current life of a host; null when it has none, and another of its threads begins the next.
   *
   * @param first whether the calling thread is the one that begins lives
   */
  private @Nullable SimLife life(int host, boolean first) throws IOException {
    SimLife life = hosts[host];
    if (life != null && life.damaged()) {
      life.life().end();
    }
    if (life != null && !life.life().over()) {
      return life;
    }
    if (!first) {
      return null;
    }
    if (life != null) {
      hosts[host] = null;
      formerLives.add(life);
      life.mount().landDelayed();
    }
    SimLife next = new SimLife(this, new Worker("host" + host, fresh("life")));
    hosts[host] = next;
    next.connect();
    return next;
  }

  /** The lives that have not ended. */
  List<SimLife> lives() {
    List<SimLife> lives = new ArrayList<>();
    for (SimLife life : hosts) {
      if (life != null && life.connected() && !life.life().over()) {
        lives.add(life);
      }
    }
    return lives;
  }

  /** Proves the end of a life, if its guardian has seen it. */
  void prove() {
    if (!formerLives.isEmpty()) {
      proven.add(formerLives.get(random.nextInt(formerLives.size())).self().incarnation());
    }
  }

  void endLives() {
    for (SimLife life : hosts) {
      if (life != null) {
        life.life().end();
      }
    }
  }

  private void work(Baton.Actor self, int host, boolean first) {
    while (!over()) {
      try {
        SimLife life = life(host, first);
        if (life == null || !life.connected()) {
          var _ = self.await(this::over, "waits for its host");
          continue;
        }
        if (!calm) {
          life.disturb(random);
        }
        if (!life.work(anyPlace().key(), random)) {
          long seen = commits();
          life.life().await(() -> over() || commits() > seen, "rests");
        }
      } catch (Baton.Died e) {
        self.step("ends");
      } catch (IOException e) {
        self.step("is in trouble: " + e.getMessage());
      } catch (StorageException e) {
        self.step("is refused: " + e.getMessage());
      }
    }
  }

  /**
   * A power cut does most harm just after a file has become durable, and before its counterpart
   * has.
   */
  private void aimPowerCut(Baton.Actor self) {
    String directory = POWER_AIMS.get(random.nextInt(POWER_AIMS.size()));
    int forces = forces(directory) + 1 + random.nextInt(4);
    var _ = self.await(() -> over() || forces(directory) >= forces, "is about to be cut");
  }

  private int forces(String directory) {
    int onBlocks = places.values().stream().mapToInt(SimPlace::forces).sum();
    return disk.forces(directory) + (directory.equals("log") ? onBlocks : 0);
  }

  /** Ends all lives, and drops all writes that are not durable. */
  private void cutPower(Baton.Actor self) throws IOException {
    int lasts = POWER_LASTS.get(random.nextInt(POWER_LASTS.size()));
    while (!over()) {
      if (!self.await(this::over, lasts, "lasts") && !over()) {
        aimPowerCut(self);
        self.step("is cut");
        endLives();
        for (SimGuest guest : guests) {
          guest.life().end();
        }
        for (SimLife life : hosts) {
          if (life != null) {
            life.mount().loseDelayed();
          }
        }
        disk.powerCut(random);
        for (SimPlace place : places()) {
          place.powerCut(random);
        }
      }
    }
  }

  /** The repository of a life that commits now, if there is one. */
  @Nullable SimRepository leader(SimPlace place) {
    List<SimRepository> leaders = new ArrayList<>();
    for (SimLife life : lives()) {
      SimRepository repository = life.repository(place.key());
      if (repository.sdm().leading()) {
        leaders.add(repository);
      }
    }
    return leaders.isEmpty() ? null : leaders.get(random.nextInt(leaders.size()));
  }

  boolean led(SimPlace place) {
    return lives().stream().anyMatch(life -> life.repository(place.key()).sdm().leading());
  }
}
