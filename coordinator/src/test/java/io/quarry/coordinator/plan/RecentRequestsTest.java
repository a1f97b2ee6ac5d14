package io.quarry.coordinator.plan;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

class RecentRequestsTest {
  private static final int PER_COMMIT = 7;

  private static long commitOf(int request) {
    return 1 + (long) request / PER_COMMIT;
  }

  @Test
  void allRequestsOfARememberedCommitAreKnown() {
    RecentRequests requests = RecentRequests.NONE;
    int count = 2 * RecentRequests.GENERATION_REQUESTS + 3;
    for (int i = 0; i < count; i++) {
      requests = requests.plus("r" + i, new Reply("unpin", "p" + i, commitOf(i)));
    }
    for (int i = 0; i < count; i++) {
      if (requests.remembers(commitOf(i))) {
        assertThat(requests.find("r" + i)).as("r" + i).isNotNull();
      }
    }
    assertThat(requests.remembers(commitOf(count))).isTrue();
    assertThat(requests.remembers(1)).isFalse();
  }

  @Test
  void atLeastOneGenerationIsRemembered() {
    RecentRequests requests = RecentRequests.NONE;
    for (int i = 0; i < 3 * RecentRequests.GENERATION_REQUESTS; i++) {
      requests = requests.plus("r" + i, new Reply("unpin", "p" + i, commitOf(i)));
      int oldest = i - RecentRequests.GENERATION_REQUESTS + 1;
      if (oldest >= 0 && oldest % 1_000 == 0) {
        assertThat(requests.find("r" + oldest)).isNotNull();
      }
    }
  }
}
