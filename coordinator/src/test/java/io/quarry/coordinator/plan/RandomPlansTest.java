package io.quarry.coordinator.plan;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.common.api.StorageException;
import io.quarry.common.model.FixType;
import io.quarry.common.model.ImageState;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * Whatever is asked in whatever order: the state stays sound, and the fixes bring it to its best.
 */
class RandomPlansTest {
  private static final int STORIES = 1000;
  private static final int REQUESTS = 120;
  private static final int ROUNDS_MAX = 1_000;

  private static final class Story {
    final List<String> requests = new ArrayList<>();
    final Map<String, Integer> accepted = new HashMap<>();
    final Contents contents = new Contents();
    final Set<String> volumesEver = new HashSet<>();
    RepositoryState state = RepositoryState.EMPTY;
    Instant now = Instant.EPOCH;

    boolean plan(Request request) {
      Draft draft = new Draft(state, requests.size() + 1L, now);
      requests.add(String.valueOf(request));
      try {
        request.plan(draft);
      } catch (StorageException e) {
        requests.add("  refused: " + e.getMessage());
        return false;
      }
      checkVolumesAreNew(draft);
      RepositoryState before = state;
      state = draft.state();
      contents.follow(before, state, draft.changes());
      accepted.merge(request.operation(), 1, Integer::sum);
      StateInvariants.check(state);
      return true;
    }

    private void checkVolumesAreNew(Draft draft) {
      for (Change change : draft.changes()) {
        if (change instanceof Change.PutVolume put
            && put.volume().stage() == Volume.Stage.INTENDED) {
          assertThat(volumesEver.add(put.volume().id())).as("%s is new", put).isTrue();
        }
      }
    }

    /** As workers do, until nothing is left. */
    void runAllFixes() {
      // By then nothing is retained any more.
      now = now.plus(Duration.ofDays(1));
      List.copyOf(state.pins().keySet()).forEach(pin -> plan(new Unpin(pin)));
      plan(new ReapOpens("host0"));
      plan(new ReapOpens("host1"));
      // What is left are uploads, which outlive hosts.
      List.copyOf(state.opens().values())
          .forEach(open -> plan(new CloseImage(open.imageId(), open.id())));
      for (int round = 0; !state.fixes().isEmpty(); round++) {
        assertThat(round).isLessThan(ROUNDS_MAX);
        List.copyOf(state.fixes().values()).forEach(this::run);
      }
    }

    private void run(FixState fix) {
      Volume volume = fix.volumeId() == null ? null : state.volumes().get(fix.volumeId());
      if (!state.fixes().containsKey(fix.id())) {
        return;
      }
      if (volume == null) {
        plan(new FinishStray(fix.id()));
      } else if (fix.type() == FixType.MEND) {
        plan(new FinishMend(fix.id(), volume.id(), 9, volume.fileOfEpoch(9)));
      } else if (fix.type() == FixType.OPTIMIZE || fix.type() == FixType.MERGE) {
        assertThat(plan(new FinishReplacement(fix.id(), volume.id(), 9, volume.fileOfEpoch(9))))
            .isTrue();
      } else {
        assertThat(plan(new TombstoneVolume(fix.id(), volume.id()))).isTrue();
        assertThat(plan(new PurgeVolume(fix.id(), volume.id()))).isTrue();
      }
    }
  }

  @Test
  void stateStaysSoundAndFixesBringItToItsBest() {
    Map<String, Integer> accepted = new HashMap<>();
    for (long seed = 0; seed < STORIES; seed++) {
      Story story = new Story();
      try {
        RandomRequests requests = new RandomRequests(new Random(seed));
        for (int i = 0; i < REQUESTS; i++) {
          story.plan(requests.next(story.state));
        }
        story.runAllFixes();
        checkBest(story.state);
      } catch (RuntimeException | AssertionError e) {
        throw new AssertionError("seed " + seed + ":\n" + String.join("\n", story.requests), e);
      }
      story.accepted.forEach((operation, count) -> accepted.merge(operation, count, Integer::sum));
    }
    assertThat(accepted)
        .as("each kind of request succeeds sometimes")
        .hasSize(Request.class.getPermittedSubclasses().length);
  }

  private static void checkBest(RepositoryState state) {
    for (Image image : state.images().values()) {
      if (state.stateOf(image) != ImageState.OPTIMIZED) {
        assertThat(state.reasonOf(image)).as("%s", image).endsWith("is missing");
      }
      if (!image.strong()) {
        assertThat(isBaseOfAStrongOne(state, image)).as("%s is needed", image).isTrue();
        assertThat(state.foldedInto(image))
            .as("%s is kept for several", image)
            .matches(target -> target == null || !state.isWhole(target));
      }
    }
    assertThat(state.volumes()).hasSameSizeAs(state.images());
  }

  private static boolean isBaseOfAStrongOne(RepositoryState state, Image base) {
    return state.images().values().stream()
        .filter(Image::strong)
        .anyMatch(image -> state.chainOf(image).contains(base));
  }
}
