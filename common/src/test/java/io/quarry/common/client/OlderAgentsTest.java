package io.quarry.common.client;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.common.api.Json;
import io.quarry.common.api.PageQuery;
import io.quarry.common.api.RemoveImageOptions;
import java.time.Duration;
import org.junit.jupiter.api.Test;

/**
 * Agents refuse fields that they do not know, so a client leaves out newer fields at their
 * defaults.
 */
final class OlderAgentsTest {
  @Test
  void fullPagesHaveNoLimit() {
    assertThat(Target.of("/v1/hosts").fullPage(null, PageQuery.LIMIT_MAX)).hasToString("/v1/hosts");
    assertThat(Target.of("/v1/hosts").fullPage("host-1", 10))
        .hasToString("/v1/hosts?after=host-1&limit=10");
  }

  @Test
  void removalsNameForceOnlyWhenItIsMeant() throws Exception {
    assertThat(Json.MAPPER.writeValueAsString(RemoveImageOptions.DEFAULT)).doesNotContain("force");
    assertThat(Json.MAPPER.writeValueAsString(new RemoveImageOptions(true, Duration.ZERO, true)))
        .contains("\"force\":true");
  }
}
