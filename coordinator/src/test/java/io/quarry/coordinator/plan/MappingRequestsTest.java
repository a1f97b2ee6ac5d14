package io.quarry.coordinator.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.Strategy;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** Requests about extents and mappings, and why they are refused. */
class MappingRequestsTest {
  private static final long EXTENT = 16 << 20;
  private static final String FILE = "v.1.raw";
  private static final HostBoot FIRST = new HostBoot("key1", "boot1");
  private static final HostBoot SECOND = new HostBoot("key1", "boot2");

  private RepositoryState state =
      RepositoryState.EMPTY
          .apply(new Change.PutFeature(Feature.EXTENTS))
          .apply(new Change.PutPool(new Pool(EXTENT, 10)));

  private long commit;

  private void plan(Request request) {
    Transaction transaction = new Transaction(state, ++commit, Instant.EPOCH);
    request.plan(transaction);
    state = transaction.state();
  }

  private StorageException refused(Request request, ErrorCode code) {
    StorageException refusal = catchThrowableOfType(StorageException.class, () -> plan(request));
    assertThat(refusal).isNotNull();
    assertThat(refusal.code()).isEqualTo(code);
    return refusal;
  }

  private void disk() {
    plan(
        new CreateVirtualDisk(
            "disk",
            "v",
            EXTENT,
            null,
            null,
            Strategy.SPACE,
            true,
            JsonNodeFactory.instance.objectNode(),
            null));
  }

  private long since(String host) {
    return Objects.requireNonNull(state.extents().mapping(FILE, host)).since();
  }

  @Test
  void fileGetsExtentsAndAMapping() {
    disk();
    plan(new ReserveExtents(FILE, "host1", FIRST, EXTENT + 1));
    assertThat(state.extents().allocation(FILE))
        .isEqualTo(new Allocation(FILE, List.of(new Run(0, 2))));
    plan(new ReserveExtents(FILE, "host1", FIRST, 5 * EXTENT));
    plan(new ReserveExtents(FILE, "host1", FIRST, EXTENT));
    assertThat(state.extents().allocation(FILE))
        .isEqualTo(new Allocation(FILE, List.of(new Run(0, 5))));
    assertThat(state.extents().mappingsOf(FILE))
        .containsExactly(new Mapping(FILE, "host1", FIRST, commit));
  }

  @Test
  void diskThatIsLargerThanWhatIsFreeIsRefused() {
    disk();
    assertThat(refused(new ReserveExtents(FILE, "host1", FIRST, 11 * EXTENT), ErrorCode.NO_SPACE))
        .hasMessageContaining("needs 11 more extents, and 10 are free");
    plan(new GrowPool(EXTENT, 11));
    plan(new ReserveExtents(FILE, "host1", FIRST, 11 * EXTENT));
    assertThat(state.extents().freeExtents()).isZero();
  }

  @Test
  void filesOfNoVolumeAreRefused() {
    disk();
    for (String file : List.of("other.1.raw", "v.1.qcow2", "v.0.raw.x", "v")) {
      refused(new ReserveExtents(file, "host1", FIRST, EXTENT), ErrorCode.FIX_STALE);
    }
    refused(new MapFiles("host1", FIRST, List.of(FILE)), ErrorCode.FIX_STALE);
  }

  @Test
  void fileOfAReadyVolumeIsTheOnlyOne() {
    disk();
    plan(new ReserveExtents(FILE, "host1", FIRST, EXTENT));
    plan(new ReserveExtents("v.2.raw", "host1", FIRST, EXTENT));
    plan(new GrantFixes(new FixState.Worker("host1", "life"), Map.of("mend-v", 0L)));
    plan(new GrantFixes(new FixState.Worker("host1", "life"), Map.of("mend-v", 1L)));
    plan(new FinishMend("mend-v", "v", 2, "v.2.raw"));
    refused(new MapFiles("host2", FIRST, List.of(FILE)), ErrorCode.FIX_STALE);
    refused(new FreeExtents("v.2.raw"), ErrorCode.IMAGE_IN_USE);
    plan(new UnmapFiles("host1", FIRST, Map.of(FILE, since("host1"))));
    plan(new FreeExtents(FILE));
    plan(new FreeExtents(FILE));
    assertThat(state.extents().freeExtents()).isEqualTo(9);
  }

  @Test
  void volumeKeepsItsExtentsUntilTheLastHostIsDone() {
    disk();
    plan(new ReserveExtents(FILE, "host1", FIRST, EXTENT));
    plan(new MapFiles("host2", new HostBoot("key2", "boot"), List.of(FILE)));
    plan(new RemoveImage("disk", true, Duration.ZERO, false));
    plan(new TombstoneVolume("clean-v", "v"));
    plan(new UnmapFiles("host1", FIRST, Map.of(FILE, since("host1"))));
    assertThat(refused(new PurgeVolume("clean-v", "v"), ErrorCode.IMAGE_IN_USE))
        .hasMessageContaining("host2 may still have the file v.1.raw mapped");
    plan(new FenceMappings("host2", Map.of(FILE, since("host2"))));
    plan(new PurgeVolume("clean-v", "v"));
    assertThat(state.extents().freeExtents()).isEqualTo(10);
  }

  @Test
  void endThatComesTooLateEndsNothing() {
    disk();
    plan(new ReserveExtents(FILE, "host1", FIRST, EXTENT));
    UnmapFiles late = new UnmapFiles("host1", FIRST, Map.of(FILE, since("host1")));
    plan(new MapFiles("host1", FIRST, List.of(FILE)));
    plan(late);
    assertThat(state.extents().mappingsOf(FILE)).hasSize(1);
  }

  /** The former boot's request was on its way when the host's power went. */
  @Test
  void requestOfAFormerBootDoesNotReplaceAMapping() {
    disk();
    plan(new ReserveExtents(FILE, "host1", SECOND, EXTENT));
    refused(new MapFiles("host1", FIRST, List.of(FILE)), ErrorCode.IMAGE_IN_USE);
    refused(new ReserveExtents(FILE, "host1", FIRST, EXTENT), ErrorCode.IMAGE_IN_USE);
    assertThat(state.extents().mappingsOf(FILE)).extracting(Mapping::boot).containsExactly(SECOND);
  }

  @Test
  void hostEndsMappingsOfItsFormerBootsAndNotThoseOfItsClone() {
    disk();
    plan(new ReserveExtents(FILE, "host1", FIRST, EXTENT));
    Map<String, Long> mappings = state.extents().mappingsBy("host1");
    plan(new UnmapFiles("host1", new HostBoot("key2", "boot2"), mappings));
    assertThat(state.extents().mappingsOf(FILE)).hasSize(1);
    plan(new UnmapFiles("host1", SECOND, mappings));
    assertThat(state.extents().mappingsOf(FILE)).isEmpty();
  }

  @Test
  void repositoryOfFilesHasNoExtents() {
    state = RepositoryState.EMPTY;
    disk();
    refused(new GrowPool(EXTENT, 10), ErrorCode.INVALID_ARGUMENT);
    refused(new ReserveExtents(FILE, "host1", FIRST, EXTENT), ErrorCode.INVALID_ARGUMENT);
  }
}
