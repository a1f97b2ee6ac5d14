package io.quarry.coordinator.plan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.Json;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.ImageKind;
import io.quarry.common.model.Strategy;
import io.quarry.coordinator.plan.Image.Content;
import io.quarry.coordinator.plan.Image.Options;
import io.quarry.coordinator.plan.Image.Visibility;
import io.quarry.coordinator.plan.Volume.Origin;
import java.io.IOException;
import java.time.Instant;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * 12.26: the opens that a host ends when it is back after a reboot, and those that it never ends.
 */
final class BootTest {
  private static final HostBoot BEFORE = new HostBoot("key-1", "boot-1");
  private static final HostBoot NOW = new HostBoot("key-1", "boot-2");

  private RepositoryState state =
      RepositoryState.EMPTY.apply(new Change.PutFeature(Feature.BOOT_IDS));

  @Test
  void rebootEndsTheHostsEarlierOpens() {
    open("before", "h1", BEFORE, null);
    open("now", "h1", NOW, null);
    end("h1", NOW);
    assertThat(state.opens().keySet()).containsExactly("now");
    assertThat(state.writerOf("disk-before")).isNull();
  }

  @Test
  void secondAgentOfTheSameKernelProvesNothing() {
    open("other", "h2", new HostBoot("key-2", "boot-1"), null);
    end("h1", NOW);
    end("h2", new HostBoot("key-2", "boot-1"));
    assertThat(state.opens().keySet()).containsExactly("other");
  }

  @Test
  void cloneOfTheHostsNameProvesNothing() {
    open("original", "h1", BEFORE, null);
    end("h1", new HostBoot("key-of-the-clone", "boot-2"));
    assertThat(state.opens().keySet()).containsExactly("original");
  }

  @Test
  void copyOfTheKeyUnderAnotherNameProvesNothing() {
    open("original", "h1", BEFORE, null);
    end("h2", NOW);
    assertThat(state.opens().keySet()).containsExactly("original");
  }

  @Test
  void openWithoutBootStays() {
    open("unknown", "h1", null, null);
    end("h1", NOW);
    assertThat(state.opens().keySet()).containsExactly("unknown");
  }

  /** The host names the opens that it has seen: a late request ends no later open. */
  @Test
  void lateRequestEndsNothingThatItDoesNotName() {
    open("later", "h1", new HostBoot("key-1", "boot-3"), null);
    plan(new EndDeadOpens("h1", NOW, List.of("seen-and-closed")));
    assertThat(state.opens().keySet()).containsExactly("later");
  }

  @Test
  void administratorEndsOpensWithoutProof() {
    open("unknown", "h1", null, null);
    open("other", "h2", null, null);
    plan(new FenceOpens("h1", List.of("unknown", "other", "missing")));
    assertThat(state.opens().keySet()).containsExactly("other");
  }

  @Test
  void logWithoutTheFeatureGetsNoField() {
    state = RepositoryState.EMPTY;
    open("open", "h1", BEFORE, null);
    assertThat(Objects.requireNonNull(state.opens().get("open")).boot()).isNull();
  }

  /** SDMs older than the feature would refuse the field. */
  @Test
  void requestWithoutBootHasNoField() throws IOException {
    Request request = new OpenImage("o", "d", false, "h1", null, null);
    assertThat(Json.MAPPER.readTree(Json.MAPPER.writeValueAsBytes(request)).has("boot")).isFalse();
  }

  @Test
  void idsAndTheirNumberAreChecked() {
    assertRefused(List.of("../../x"));
    assertRefused(Collections.nCopies(EndDeadOpens.OPENS_MAX + 1, "o"));
    plan(new FenceOpens("h1", Collections.nCopies(EndDeadOpens.OPENS_MAX, "o")));
  }

  private static void assertRefused(List<String> openIds) {
    assertThatThrownBy(() -> new FenceOpens("h1", openIds))
        .isInstanceOfSatisfying(
            StorageException.class,
            e -> assertThat(e.code()).isEqualTo(ErrorCode.INVALID_ARGUMENT));
    assertThatThrownBy(() -> new EndDeadOpens("h1", NOW, openIds))
        .isInstanceOf(StorageException.class);
  }

  /** Uses a disk of its own for each open, as VMs do. */
  private void open(
      String openId, String hostId, @Nullable HostBoot boot, @Nullable String incarnation) {
    put("disk-" + openId, "volume-" + openId);
    plan(new OpenImage(openId, "disk-" + openId, false, hostId, null, incarnation, boot));
  }

  private void end(String hostId, HostBoot boot) {
    plan(new EndDeadOpens(hostId, boot, List.copyOf(state.opens().keySet())));
  }

  private void plan(Request request) {
    Transaction transaction = new Transaction(state, 1, Instant.EPOCH);
    var _ = request.plan(transaction);
    state = transaction.state();
  }

  private void put(String imageId, String volumeId) {
    Volume volume =
        new Volume(volumeId, imageId, Layout.SPARSE_FILES.over(512, null), Origin.NONE)
            .ready(volumeId + ".1.raw");
    Image image =
        new Image(
            imageId,
            ImageKind.VIRTUAL_DISK,
            Visibility.VISIBLE,
            new Content(512, volumeId),
            new Options(Strategy.SPACE, true, JsonNodeFactory.instance.objectNode()),
            Instant.EPOCH);
    state = state.apply(new Change.PutVolume(volume)).apply(new Change.PutImage(image));
  }
}
