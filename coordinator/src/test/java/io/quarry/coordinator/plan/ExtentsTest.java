package io.quarry.coordinator.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/** An extent has one file at most, and a file keeps its extents as long as it has mappings. */
class ExtentsTest {
  private static final HostBoot BOOT = new HostBoot("key", "boot");
  private static final int EXTENTS = 60;
  private static final int STEPS = 300;
  private static final int STORIES = 50;

  private static final Extents EMPTY = Extents.NONE.plus(new Pool(16 << 20, EXTENTS));

  private static Allocation file(String name, Run... runs) {
    return new Allocation(name, List.of(runs));
  }

  private static Run run(long first, long count) {
    return new Run(first, count);
  }

  @Test
  void newFileGetsTheSmallestRunThatIsLargeEnough() {
    Extents extents =
        EMPTY.plus(file("a", run(4, 6))).plus(file("b", run(12, 8))).plus(file("c", run(30, 30)));
    // Free: 0 to 3, 10 and 11, 20 to 29.
    assertThat(extents.fit(2, null)).containsExactly(run(10, 2));
    assertThat(extents.fit(3, null)).containsExactly(run(0, 3));
    assertThat(extents.fit(5, null)).containsExactly(run(20, 5));
  }

  @Test
  void fileGrowsWhereItEndsIfThereIsRoom() {
    Allocation a = file("a", run(4, 6));
    Extents extents = EMPTY.plus(a).plus(file("b", run(14, 8)));
    assertThat(extents.fit(3, a)).containsExactly(run(10, 3));
    assertThat(a.plus(extents.fit(3, a)).runs()).containsExactly(run(4, 9));
    assertThat(extents.fit(5, a)).containsExactly(run(22, 5));
    assertThat(a.plus(extents.fit(5, a)).runs()).containsExactly(run(4, 6), run(22, 5));
  }

  @Test
  void largestRunsTogetherWhenNoneIsLargeEnough() {
    Extents extents = EMPTY.plus(file("a", run(10, 10))).plus(file("b", run(35, 5)));
    assertThat(extents.fit(30, null)).containsExactly(run(40, 20), run(20, 10));
    assertThat(extents.fit(45, null)).containsExactly(run(40, 20), run(20, 15), run(0, 10));
    assertThat(extents.fit(46, null)).isEmpty();
  }

  @Test
  void deviceGrowsAtItsEnd() {
    Extents full = EMPTY.plus(file("a", run(0, EXTENTS)));
    Extents grown = full.plus(new Pool(16 << 20, EXTENTS + 5));
    assertThat(grown.freeExtents()).isEqualTo(5);
    assertThat(grown.fit(5, grown.allocation("a"))).containsExactly(run(EXTENTS, 5));
    refused(() -> grown.plus(new Pool(16 << 20, EXTENTS)));
    refused(() -> grown.plus(new Pool(32 << 20, EXTENTS + 5)));
  }

  @Test
  void extentsOfAnotherFileAreRefused() {
    Extents extents = EMPTY.plus(file("a", run(0, 10)));
    refused(() -> extents.plus(file("b", run(9, 2))));
    refused(() -> extents.plus(file("b", run(EXTENTS - 1, 2))));
    refused(() -> extents.plus(file("b", run(10, 2), run(11, 2))));
  }

  @Test
  void bytesOfAFileStayWhereTheyAre() {
    Extents extents = EMPTY.plus(file("a", run(0, 10), run(20, 5)));
    refused(() -> extents.plus(file("a", run(0, 10))));
    refused(() -> extents.plus(file("a", run(0, 11), run(20, 5))));
    refused(() -> extents.plus(file("a", run(20, 5), run(0, 10))));
    refused(() -> extents.plus(file("a", run(0, 10), run(20, 4))));
    assertThat(extents.plus(file("a", run(0, 10), run(20, 6), run(40, 1))).freeExtents())
        .isEqualTo(EXTENTS - 17);
  }

  @Test
  void fileWithAMappingKeepsItsExtents() {
    Extents mapped =
        EMPTY
            .plus(file("a", run(0, 10)))
            .plus(new Mapping("a", "host1", BOOT, 1))
            .plus(new Mapping("a", "host2", BOOT, 2));
    Extents left = mapped.minusMapping("a", "host1");
    refused(() -> left.minusAllocation("a"));
    assertThat(left.minusMapping("a", "host2").minusAllocation("a").freeExtents())
        .isEqualTo(EXTENTS);
    refused(() -> EMPTY.plus(new Mapping("a", "host1", BOOT, 1)));
  }

  @Test
  void filesOfOneVolumeAreFound() {
    Extents extents =
        EMPTY
            .plus(file("v.1.raw", run(0, 1)))
            .plus(file("v.2.qcow2", run(1, 1)))
            .plus(file("v1.1.raw", run(2, 1)))
            .plus(file("v-1.1.raw", run(3, 1)));
    assertThat(extents.ofVolume("v"))
        .extracting(Allocation::file)
        .containsExactly("v.1.raw", "v.2.qcow2");
  }

  private static void refused(Runnable change) {
    assertThatThrownBy(change::run).isInstanceOf(IllegalStateException.class);
  }

  /** Files come, grow and go; an array of extents says what is right. */
  @Test
  void noExtentIsLostOrGivenTwice() {
    for (long seed = 0; seed < STORIES; seed++) {
      Random random = new Random(seed);
      Extents extents = EMPTY;
      String[] owners = new String[EXTENTS];
      for (int step = 0; step < STEPS; step++) {
        String name = "file" + random.nextInt(12);
        if (random.nextInt(3) == 0) {
          extents = extents.minusAllocation(name);
          free(owners, name);
        } else {
          extents = grown(extents, name, 1 + random.nextInt(8), owners);
        }
        assertSame(extents, owners);
      }
      assertThat(rebuilt(extents)).as("seed %d", seed).isEqualTo(extents.asChanges());
    }
  }

  private static void free(String[] owners, String name) {
    for (int i = 0; i < EXTENTS; i++) {
      if (name.equals(owners[i])) {
        owners[i] = null;
      }
    }
  }

  private static Extents grown(Extents extents, String name, long more, String[] owners) {
    Allocation before = extents.allocation(name);
    List<Run> runs = extents.fit(more, before);
    assertThat(runs.isEmpty()).isEqualTo(more > extents.freeExtents());
    if (runs.isEmpty()) {
      return extents;
    }
    for (Run run : runs) {
      for (long i = run.first(); i < run.end(); i++) {
        assertThat(owners[(int) i]).isNull();
        owners[(int) i] = name;
      }
    }
    return extents.plus((before == null ? file(name) : before).plus(runs));
  }

  private static void assertSame(Extents extents, String[] owners) {
    Map<String, Set<Long>> expected = new HashMap<>();
    long free = 0;
    for (int i = 0; i < EXTENTS; i++) {
      if (owners[i] == null) {
        free++;
      } else {
        expected.computeIfAbsent(owners[i], name -> new HashSet<>()).add((long) i);
      }
    }
    Map<String, Set<Long>> found = new HashMap<>();
    for (Allocation each : extents.allocations()) {
      Set<Long> numbers = new HashSet<>();
      each.runs()
          .forEach(run -> {
            for (long i = run.first(); i < run.end(); i++) {
              numbers.add(i);
            }
          });
      found.put(each.file(), numbers);
    }
    assertThat(found).isEqualTo(expected);
    assertThat(extents.freeExtents()).isEqualTo(free);
  }

  private static List<Change> rebuilt(Extents extents) {
    RepositoryState state = RepositoryState.EMPTY.apply(new Change.PutFeature(Feature.EXTENTS));
    for (Change change : extents.asChanges()) {
      state = state.apply(change);
    }
    return new ArrayList<>(state.extents().asChanges());
  }
}
