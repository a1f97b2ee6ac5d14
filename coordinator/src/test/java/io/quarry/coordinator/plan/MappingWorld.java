package io.quarry.coordinator.plan;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.Strategy;
import io.quarry.coordinator.plan.FixState.Worker;
import java.io.IOException;
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
 * Hosts that map files of a device, programs that use them, and callers who make and remove disks.
 * The log is a list of states: a host sees any of them, never an older one than before.
 */
public final class MappingWorld {
  private static final int HOSTS = 3;
  private static final int STEPS = 400;
  private static final int EXTENTS = 12;
  private static final long EXTENT = 1 << 20;

  private final Random random;
  private final Start start;
  private final List<RepositoryState> states = new ArrayList<>();
  private final List<Request> onTheWay = new ArrayList<>();
  private final List<Host> hosts = new ArrayList<>();

  /** The file that each extent belonged to last. */
  private final Map<Long, String> lastFiles = new HashMap<>();

  private final Wrong wrong;
  private int reused;
  private int ids;

  /** What is wrong in the world, beside what its agents do wrong. */
  public enum Wrong {
    NOTHING,
    /** An administrator vouches for hosts that run. */
    FENCES_RUNNING_HOSTS,
    /** Hosts speak for mappings of other hosts, in their names. */
    SPEAKS_FOR_OTHERS
  }

  /** What a host's agent does with the host's devices. */
  public interface Agent {
    /** A committed state shows that the host may map the file. */
    void make(RepositoryState seen, long commit, String file) throws IOException;

    /**
     * @return the ends of mappings that the host tells now
     */
    Map<String, Long> remove(RepositoryState seen, long commit, List<String> files)
        throws IOException;

    /** Looks whether the log allows all devices. */
    void reconcile(RepositoryState seen, long commit) throws IOException;

    /** The host asks the log for a mapping. */
    default void asked(RepositoryState seen, String file) throws IOException {}
  }

  /** Starts an agent on a host; an earlier agent may have left devices. */
  public interface Start {
    Agent agent(String hostId, HostBoot boot, Kernel kernel, long commit);
  }

  /** The devices of a host, each with its extents, and the devices that a program has open. */
  public static final class Kernel {
    private final Map<String, List<Run>> devices = new HashMap<>();
    private final Set<String> open = new HashSet<>();
    private boolean failing;
    private @Nullable String unreadable;

    /** The next table is loaded, and the call fails all the same. */
    public void failAfterNextMake() {
      failing = true;
    }

    /** The table of this device cannot be read. */
    public void failToRead(String file) {
      unreadable = file;
    }

    public Set<String> files() {
      return Set.copyOf(devices.keySet());
    }

    public @Nullable List<Run> runs(String file) throws IOException {
      if (file.equals(unreadable)) {
        throw new IOException(file + " cannot be read");
      }
      return devices.get(file);
    }

    public void make(String file, List<Run> runs) throws IOException {
      devices.put(file, runs);
      if (failing) {
        failing = false;
        throw new IOException(file + " failed after it was made");
      }
    }

    /** A program opens the device. */
    public void open(String file) {
      open.add(file);
    }

    public boolean isOpen(String file) {
      return open.contains(file);
    }

    public void close(String file) {
      open.remove(file);
    }

    /** Leaves a device that leads nowhere. */
    public void cutOff(String file) {
      devices.put(file, List.of());
    }

    public boolean remove(String file) {
      if (open.contains(file)) {
        return false;
      }
      devices.remove(file);
      return true;
    }
  }

  public MappingWorld(long seed, Start start, Wrong wrong) {
    this.random = new Random(seed);
    this.start = start;
    this.wrong = wrong;
    RepositoryState empty = RepositoryState.EMPTY.apply(new Change.PutFeature(Feature.EXTENTS));
    states.add(empty);
    commit(new GrowPool(EXTENT, EXTENTS));
    for (int i = 0; i < HOSTS; i++) {
      hosts.add(new Host("host" + i));
    }
  }

  public void run() throws IOException {
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
  public int reusedExtents() {
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
    private Kernel kernel = new Kernel();
    private Agent agent;
    private int boots;
    private int seen;
    private boolean off;

    Host(String id) {
      this.id = id;
      this.agent = startAgent();
    }

    private Agent startAgent() {
      seen = states.size() - 1;
      return start.agent(id, boot(), kernel, seen);
    }

    private HostBoot boot() {
      return new HostBoot("key-" + id, "boot" + boots);
    }

    private RepositoryState view() {
      return states.get(seen);
    }

    void act() throws IOException {
      seen += random.nextInt(states.size() - seen);
      if (off) {
        actOff();
        return;
      }
      switch (random.nextInt(16)) {
        case 0, 1, 2 -> ask();
        case 3, 4, 5, 6 -> map();
        case 7, 8, 9 -> unmap();
        case 10 -> endOthers();
        case 11 -> agent.reconcile(view(), seen);
        case 12, 13 -> usePrograms();
        case 14 -> agent = startAgent();
        default -> powerOff();
      }
    }

    private void ask() throws IOException {
      String file = anyFile();
      if (file == null) {
        return;
      }
      boolean reserves = view().extents().allocation(file) == null || random.nextInt(4) == 0;
      send(
          reserves
              ? new ReserveExtents(file, id, boot(), EXTENT * (1 + random.nextInt(4)))
              : new MapFiles(id, boot(), List.of(file)));
      agent.asked(view(), file);
    }

    private @Nullable String anyFile() {
      List<Volume> volumes = List.copyOf(view().volumes().values());
      return volumes.isEmpty() ? null : volumes.get(random.nextInt(volumes.size())).id() + ".1.raw";
    }

    private void map() throws IOException {
      for (String file : view().extents().mappingsBy(id).keySet()) {
        agent.make(view(), seen, file);
      }
    }

    /** Also for files that have no device: those of earlier boots went with their kernels. */
    private void unmap() throws IOException {
      List<String> files = new ArrayList<>(view().extents().mappingsBy(id).keySet());
      files.removeIf(file -> random.nextBoolean());
      send(new UnmapFiles(id, boot(), agent.remove(view(), seen, files)));
    }

    private void usePrograms() {
      kernel.open.removeIf(file -> random.nextBoolean());
      kernel.devices.keySet().stream()
          .filter(file -> random.nextInt(4) == 0)
          .forEach(kernel.open::add);
    }

    /** The planner refuses what one host says of another: their keys differ. */
    private void endOthers() {
      Host other = hosts.get(random.nextInt(HOSTS));
      if (other == this) {
        return;
      }
      HostBoot speaker =
          wrong == Wrong.SPEAKS_FOR_OTHERS
              ? new HostBoot("key-" + other.id, "boot-of-" + id)
              : boot();
      send(new UnmapFiles(other.id, speaker, view().extents().mappingsBy(other.id)));
      if (other.off || wrong == Wrong.FENCES_RUNNING_HOSTS) {
        commit(new FenceMappings(other.id, view().extents().mappingsBy(other.id)));
      }
    }

    private void powerOff() {
      off = true;
      kernel = new Kernel();
    }

    private void actOff() {
      if (random.nextInt(3) == 0) {
        off = false;
        boots++;
        agent = startAgent();
      }
    }

    /** A write through the device would land in the file that has the extents now. */
    void checkDevices() {
      kernel.devices.forEach((file, runs) -> {
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
