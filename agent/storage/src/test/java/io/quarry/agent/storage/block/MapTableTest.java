package io.quarry.agent.storage.block;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.agent.storage.block.MapTable.View;
import io.quarry.coordinator.plan.Allocation;
import io.quarry.coordinator.plan.Change;
import io.quarry.coordinator.plan.Feature;
import io.quarry.coordinator.plan.HostBoot;
import io.quarry.coordinator.plan.Mapping;
import io.quarry.coordinator.plan.MappingWorld;
import io.quarry.coordinator.plan.MappingWorld.Kernel;
import io.quarry.coordinator.plan.MappingWorld.Wrong;
import io.quarry.coordinator.plan.Pool;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Run;
import java.io.IOException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Hosts with real tables in the world of late, lost and repeated requests. */
class MapTableTest {
  private static final long SCHEDULES = Long.getLong("quarry.mappingSchedules", 150);
  private static final long SCHEDULES_MAX = 20_000;

  /** An agent whose table decides. */
  private record TableAgent(MapTable table) implements MappingWorld.Agent {
    private static View view(RepositoryState seen, long commit) {
      return new View(seen.extents(), commit);
    }

    @Override
    public void make(RepositoryState seen, long commit, String file) throws IOException {
      var _ = table.make(view(seen, commit), file, false);
    }

    @Override
    public Map<String, Long> remove(RepositoryState seen, long commit, List<String> files)
        throws IOException {
      return table.remove(view(seen, commit), files, file -> true);
    }

    @Override
    public void reconcile(RepositoryState seen, long commit) throws IOException {
      var _ = table.reconcile(view(seen, commit));
    }
  }

  private final Map<String, Integer> cuts = new HashMap<>();

  private MappingWorld world(long seed, Wrong wrong) {
    return new MappingWorld(
        seed,
        (hostId, boot, kernel, start) ->
            new TableAgent(new MapTable(hostId, boot, new KernelDevices(kernel, cuts), start)),
        wrong);
  }

  @Test
  void noHostKeepsADeviceForExtentsOfAnotherFile() throws IOException {
    int reused = 0;
    for (long seed = 0; seed < SCHEDULES; seed++) {
      MappingWorld world = world(seed, Wrong.NOTHING);
      world.run();
      reused += world.reusedExtents();
    }
    assertThat(reused).isGreaterThan((int) SCHEDULES);
    assertThat(cuts).as("devices that were cut off although nobody was fenced").isEmpty();
  }

  /** The table comes too late for such a host: only the administrator could know. */
  @Test
  void fencingAHostThatRunsIsFound() {
    assertThatThrownBy(
            () -> {
              for (long seed = 0; seed < SCHEDULES_MAX; seed++) {
                world(seed, Wrong.FENCES_RUNNING_HOSTS).run();
              }
            })
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("has a device for");
  }

  private static final String HOST = "host0";
  private static final HostBoot BOOT = new HostBoot("key-host0", "boot0");
  private static final String FILE = "disk.1.raw";
  private static final long START = 10;

  private final Kernel kernel = new Kernel();
  private final MapTable table = new MapTable(HOST, BOOT, new KernelDevices(kernel, cuts), START);

  private static View view(long commit, Change... changes) {
    RepositoryState state =
        RepositoryState.EMPTY
            .apply(new Change.PutFeature(Feature.EXTENTS))
            .apply(new Change.PutPool(new Pool(1 << 20, 50)));
    for (Change change : changes) {
      state = state.apply(change);
    }
    return new View(state.extents(), commit);
  }

  private static Change extents(long first, long count) {
    return new Change.PutAllocation(new Allocation(FILE, List.of(new Run(first, count))));
  }

  private static Change mapping(long since) {
    return new Change.PutMapping(new Mapping(FILE, HOST, BOOT, since));
  }

  @Test
  void deviceIsMadeByANewMappingAndGrows() throws IOException {
    assertThat(table.make(view(11, extents(4, 2)), FILE, false)).isFalse();
    assertThat(table.make(view(12, extents(4, 2), mapping(12)), FILE, false)).isTrue();
    assertThat(kernel.runs(FILE)).containsExactly(new Run(4, 2));
    assertThat(table.make(view(13, extents(4, 5), mapping(13)), FILE, false)).isTrue();
    assertThat(kernel.runs(FILE)).containsExactly(new Run(4, 5));
    assertThat(table.make(view(12, extents(4, 2), mapping(12)), FILE, false)).isTrue();
    assertThat(kernel.runs(FILE)).as("by an older view").containsExactly(new Run(4, 5));
  }

  /** The earlier agent may have told the end of that mapping. */
  @Test
  void newAgentMakesNothingByAMappingFromBeforeItsStart() throws IOException {
    View before = view(START, extents(4, 2), mapping(START));
    assertThat(table.make(before, FILE, false)).isFalse();
    assertThat(table.remove(before, List.of(FILE), file -> true))
        .containsExactly(Map.entry(FILE, START));
    assertThat(kernel.files()).isEmpty();
  }

  @Test
  void newAgentGoesOnWithADeviceThatIsThere() throws IOException {
    kernel.make(FILE, List.of(new Run(4, 1)));
    assertThat(table.make(view(START, extents(4, 2), mapping(9)), FILE, false)).isTrue();
    assertThat(kernel.runs(FILE)).containsExactly(new Run(4, 2));
  }

  @Test
  void noEndIsToldOfADeviceThatAProgramHasOpen() throws IOException {
    View mapped = view(12, extents(4, 2), mapping(12));
    var _ = table.make(mapped, FILE, false);
    kernel.open(FILE);
    assertThat(table.remove(mapped, List.of(FILE), file -> true)).isEmpty();
    kernel.close(FILE);
    assertThat(table.remove(mapped, List.of(FILE), file -> true))
        .containsExactly(Map.entry(FILE, 12L));
    assertThat(table.make(mapped, FILE, false)).as("again").isFalse();
  }

  /** Requests of this host that were late have ended a mapping and made another. */
  @Test
  void endOfAnOlderMappingIsNotToldOfANewerDevice() throws IOException {
    var _ = table.make(view(14, extents(4, 2), mapping(14)), FILE, false);
    assertThat(table.remove(view(12, extents(4, 2), mapping(12)), List.of(FILE), file -> true))
        .isEmpty();
    assertThat(kernel.files()).containsExactly(FILE);
  }

  @Test
  void fencedDeviceLeadsNowhereWhileAProgramHasItOpen() throws IOException {
    var _ = table.make(view(12, extents(4, 2), mapping(12)), FILE, false);
    kernel.open(FILE);
    assertThat(table.reconcile(view(11))).as("by a view from before the mapping").isEmpty();
    assertThat(kernel.runs(FILE)).isNotEmpty();
    assertThat(table.reconcile(view(13))).containsExactly(FILE);
    assertThat(kernel.runs(FILE)).isEmpty();
    View again = view(14, extents(4, 2), mapping(14));
    assertThatThrownBy(() -> table.make(again, FILE, false))
        .isInstanceOf(IOException.class)
        .hasMessageContaining("a program on this host still uses");
    kernel.close(FILE);
    assertThat(table.make(again, FILE, false)).isTrue();
    assertThat(kernel.runs(FILE)).containsExactly(new Run(4, 2));
  }

  @Test
  void fencedDeviceThatNobodyUsesIsRemoved() throws IOException {
    var _ = table.make(view(12, extents(4, 2), mapping(12)), FILE, false);
    assertThat(table.reconcile(view(13))).isEmpty();
    assertThat(kernel.files()).isEmpty();
    assertThat(table.make(view(12, extents(4, 2), mapping(12)), FILE, false))
        .as("by a view that is older than the newest comparison")
        .isFalse();
  }

  /** The name of a lost run's file, which another run has got since. */
  @Test
  void deviceWithOtherExtentsIsMadeAnew() throws IOException {
    kernel.make(FILE, List.of(new Run(4, 2)));
    View other = view(12, extents(7, 2), mapping(12));
    kernel.open(FILE);
    assertThatThrownBy(() -> table.make(other, FILE, false)).isInstanceOf(IOException.class);
    assertThat(cuts).containsOnlyKeys(FILE);
    kernel.close(FILE);
    assertThat(table.make(other, FILE, false)).isTrue();
    assertThat(kernel.runs(FILE)).containsExactly(new Run(7, 2));
  }

  /** The kernel may have the longer table although the call failed. */
  @Test
  void deviceWhoseGrowthFailedIsNotCutOffByAnOlderView() throws IOException {
    View before = view(12, extents(4, 2), mapping(12));
    assertThat(table.make(before, FILE, false)).isTrue();
    kernel.open(FILE);
    kernel.failAfterNextMake();
    assertThatThrownBy(() -> table.make(view(13, extents(4, 5), mapping(13)), FILE, false))
        .isInstanceOf(IOException.class);
    assertThat(table.make(before, FILE, false)).isTrue();
    assertThat(table.reconcile(before)).isEmpty();
    assertThat(kernel.runs(FILE)).containsExactly(new Run(4, 5));
    assertThat(cuts).isEmpty();
  }

  /** A caller may ask for the file between the look at the log and the removal. */
  @Test
  void deviceThatIsAskedForMeanwhileStays() throws IOException {
    View mapped = view(12, extents(4, 2), mapping(12));
    var _ = table.make(mapped, FILE, false);
    assertThat(table.remove(mapped, List.of(FILE), file -> false)).isEmpty();
    assertThat(kernel.files()).containsExactly(FILE);
  }

  /** The devices of other files must not wait for one that cannot be read. */
  @Test
  void oneDeviceThatCannotBeReadKeepsNoOtherOne() throws IOException {
    kernel.make("other.1.qcow2", List.of(new Run(9, 1)));
    kernel.make(FILE, List.of(new Run(4, 2)));
    kernel.failToRead(FILE);
    assertThat(table.reconcile(view(START))).isEmpty();
    assertThat(kernel.files()).containsExactly(FILE);
  }
}
