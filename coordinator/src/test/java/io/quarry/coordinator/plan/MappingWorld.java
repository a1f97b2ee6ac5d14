package io.quarry.coordinator.plan;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.Strategy;
import io.quarry.coordinator.plan.FixState.Worker;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Hosts that map files of a device, and callers who make and remove disks. The log is a list of
 * states: a host sees any of them, never an older one than before.
 */
final class MappingWorld {
  private static final int HOSTS = 3;
  private static final int STEPS = 400;
  private static final int EXTENTS = 12;
  private static final long EXTENT = 1 << 20;

  private final Random random;
  private final Mistake mistake;
  private final List<RepositoryState> states = new ArrayList<>();
  private final List<Request> onTheWay = new ArrayList<>();
  private final List<Host> hosts = new ArrayList<>();

  /** The file that each extent belonged to last. */
  private final Map<Long, String> lastFiles = new HashMap<>();

  private int reused;
  private int ids;

  /** What a host does wrong. */
  enum Mistake {
    NONE,
    /** Makes the device when the request is sent. */
    MAPS_BEFORE_THE_COMMIT,
    /** Removes the device after the request was sent. */
    SAYS_UNMAPPED_BEFORE,
    /** Makes a device anew by a mapping whose end may be on its way. */
    MAPS_AGAIN_BY_AN_OLD_MAPPING,
    /** Speaks for mappings of other hosts. */
    SAYS_UNMAPPED_FOR_OTHERS,
    /** An administrator fences a host that runs. */
    FENCED_ALIVE
  }

  MappingWorld(long seed, Mistake mistake) {
    this.random = new Random(seed);
    this.mistake = mistake;
    RepositoryState empty = RepositoryState.EMPTY.apply(new Change.PutFeature(Feature.EXTENTS));
    states.add(empty);
    commit(new GrowPool(EXTENT, EXTENTS));
    for (int i = 0; i < HOSTS; i++) {
      hosts.add(new Host("host" + i));
    }
  }

  void run() {
    for (int step = 0; step < STEPS; step++) {
      switch (random.nextInt(10)) {
        case 0 -> changeDisks();
        case 1, 2, 3, 4 -> arrive(random.nextInt(4) == 0);
        default -> hosts.get(random.nextInt(HOSTS)).act();
      }
      hosts.forEach(Host::checkDevices);
    }
  }

  /** How often an extent went from one file to another. */
  int reusedExtents() {
    return reused;
  }

  private RepositoryState now() {
    return states.getLast();
  }

  private void commit(Request request) {
    Transaction transaction = new Transaction(now(), states.size(), Instant.EPOCH);
    try {
      request.plan(transaction);
    } catch (StorageException e) {
      return;
    }
    assert Invariants.hold(now(), transaction.changes(), transaction.state());
    states.add(transaction.state());
    now().extents().allocations().forEach(this::noteOwner);
  }

  private void noteOwner(Allocation allocation) {
    for (Run run : allocation.runs()) {
      for (long extent = run.first(); extent < run.end(); extent++) {
        String before = lastFiles.put(extent, allocation.file());
        reused += before == null || before.equals(allocation.file()) ? 0 : 1;
      }
    }
  }

  /** A request that is on its way arrives; at times it stays on its way, and arrives again. */
  private void arrive(boolean again) {
    if (!onTheWay.isEmpty()) {
      int which = random.nextInt(onTheWay.size());
      commit(again ? onTheWay.get(which) : onTheWay.remove(which));
    }
  }

  private void send(Request request) {
    if (random.nextInt(3) == 0) {
      commit(request);
    } else {
      onTheWay.add(request);
    }
  }

  private void changeDisks() {
    List<Image> disks = List.copyOf(now().images().values());
    if (disks.size() < 4) {
      String id = "disk" + ids++;
      commit(
          new CreateVirtualDisk(
              id,
              "v-" + id,
              EXTENT,
              null,
              null,
              Strategy.SPACE,
              true,
              JsonNodeFactory.instance.objectNode(),
              new Worker("host0", "life")));
    } else {
      Image disk = disks.get(random.nextInt(disks.size()));
      commit(new RemoveImage(disk.id(), true, Duration.ZERO, true));
    }
    for (FixState fix : List.copyOf(now().fixes().values())) {
      String volume = Objects.requireNonNull(fix.volumeId());
      commit(new TombstoneVolume(fix.id(), volume));
      commit(new PurgeVolume(fix.id(), volume));
    }
  }

  /** A host with a kernel that has devices, and an agent that makes and removes them. */
  private final class Host {
    private final String id;
    private final Map<String, List<Run>> devices = new HashMap<>();

    /** The newest mapping of each file whose end this boot has told. */
    private final Map<String, Long> ended = new HashMap<>();

    private int boots;
    private int seen;
    private boolean off;

    Host(String id) {
      this.id = id;
    }

    private HostBoot boot() {
      return new HostBoot("key-" + id, "boot" + boots);
    }

    private RepositoryState view() {
      return states.get(seen);
    }

    void act() {
      seen += random.nextInt(states.size() - seen);
      if (off) {
        actOff();
        return;
      }
      switch (random.nextInt(12)) {
        case 0, 1, 2 -> ask();
        case 3, 4, 5, 6 -> map();
        case 7, 8, 9 -> unmap();
        case 10 -> endOthers();
        default -> powerOff();
      }
    }

    private void ask() {
      String file = anyFile();
      if (file == null) {
        return;
      }
      boolean reserves = view().extents().allocation(file) == null || random.nextInt(4) == 0;
      send(
          reserves
              ? new ReserveExtents(file, id, boot(), EXTENT * (1 + random.nextInt(4)))
              : new MapFiles(id, boot(), List.of(file)));
      if (mistake == Mistake.MAPS_BEFORE_THE_COMMIT) {
        make(file);
      }
    }

    private @Nullable String anyFile() {
      List<Volume> volumes = List.copyOf(view().volumes().values());
      return volumes.isEmpty() ? null : volumes.get(random.nextInt(volumes.size())).id() + ".1.raw";
    }

    private void map() {
      for (String file : view().extents().mappingsBy(id).keySet()) {
        Mapping mapping = Objects.requireNonNull(view().extents().mapping(file, id));
        long told = ended.getOrDefault(file, 0L);
        boolean old = mapping.since() <= told && mistake != Mistake.MAPS_AGAIN_BY_AN_OLD_MAPPING;
        if (mapping.boot().equals(boot()) && !old) {
          make(file);
        }
      }
    }

    private void make(String file) {
      Allocation allocation = view().extents().allocation(file);
      if (allocation != null) {
        devices.put(file, allocation.runs());
      }
    }

    /** Also for files that have no device: those of earlier boots went with their kernels. */
    private void unmap() {
      Map<String, Long> gone = view().extents().mappingsBy(id);
      gone.keySet().removeIf(file -> random.nextBoolean());
      if (mistake != Mistake.SAYS_UNMAPPED_BEFORE) {
        devices
            .keySet()
            .removeIf(file ->
                gone.containsKey(file)
                    && Objects.requireNonNull(view().extents().mapping(file, id))
                        .boot()
                        .equals(boot()));
      }
      ended.putAll(gone);
      send(new UnmapFiles(id, boot(), gone));
    }

    /** The planner refuses what one host says of another: their keys differ. */
    private void endOthers() {
      Host other = hosts.get(random.nextInt(HOSTS));
      if (other == this) {
        return;
      }
      HostBoot speaker =
          mistake == Mistake.SAYS_UNMAPPED_FOR_OTHERS
              ? new HostBoot("key-" + other.id, "boot-of-" + id)
              : boot();
      send(new UnmapFiles(other.id, speaker, view().extents().mappingsBy(other.id)));
      if (other.off || mistake == Mistake.FENCED_ALIVE) {
        commit(new FenceMappings(other.id, view().extents().mappingsBy(other.id)));
      }
    }

    private void powerOff() {
      off = true;
      devices.clear();
    }

    private void actOff() {
      if (random.nextInt(3) == 0) {
        off = false;
        boots++;
        ended.clear();
      }
    }

    /** A write through the device would land in the file that has the extents now. */
    void checkDevices() {
      devices.forEach((file, runs) -> {
        Allocation allocation = now().extents().allocation(file);
        Set<Run> kept = new HashSet<>(allocation == null ? List.of() : allocation.runs());
        boolean same =
            runs.stream().allMatch(run -> kept.stream().anyMatch(has -> holds(has, run)));
        if (!same) {
          throw new AssertionError(
              id + " has a device for " + file + ", which has the extents " + kept);
        }
      });
    }

    private static boolean holds(Run has, Run run) {
      return has.first() <= run.first() && run.end() <= has.end();
    }
  }
}
