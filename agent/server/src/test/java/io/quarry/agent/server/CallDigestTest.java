package io.quarry.agent.server;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.common.api.Json;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** Case 12.10: which calls count as the same call. */
class CallDigestTest {
  private static String copy(String body) throws Exception {
    return digest("copyImage", Map.of("repoId", "main"), Map.of(), body);
  }

  private static String digest(
      String operation, Map<String, String> path, Map<String, String> query, String body)
      throws Exception {
    return CallDigest.of(operation, path, query, (ObjectNode) Json.MAPPER.readTree(body));
  }

  @Test
  void orderOfFieldsDoesNotMatter() throws Exception {
    assertThat(copy("{\"imageId\":\"a\",\"userData\":{\"x\":1,\"y\":{\"p\":1,\"q\":2}}}"))
        .isEqualTo(copy("{\"userData\":{\"y\":{\"q\":2,\"p\":1},\"x\":1},\"imageId\":\"a\"}"));
  }

  @Test
  void anythingTheCallerSetMatters() throws Exception {
    String first = copy("{\"imageId\":\"a\"}");
    assertThat(copy("{\"imageId\":\"b\"}")).isNotEqualTo(first);
    assertThat(copy("{\"imageId\":\"a\",\"userData\":{}}")).isNotEqualTo(first);
    assertThat(digest("createSnapshot", Map.of("repoId", "main"), Map.of(), "{\"imageId\":\"a\"}"))
        .isNotEqualTo(first);
    assertThat(digest("removeImage", Map.of("imageId", "x"), Map.of(), "{}"))
        .isNotEqualTo(digest("removeImage", Map.of("imageId", "y"), Map.of(), "{}"))
        .isNotEqualTo(digest("removeImage", Map.of("imageId", "x"), Map.of("retain", "1d"), "{}"));
  }

  @Test
  void namesThatHostsGiveToRepositoriesDoNotMatter() throws Exception {
    assertThat(digest("copyImage", Map.of("repoId", "here"), Map.of(), "{\"imageId\":\"a\"}"))
        .isEqualTo(copy("{\"imageId\":\"a\"}"));
    assertThat(
            copy(
                "{\"imageId\":\"a\",\"options\":{\"imageHints\":{\"a\":\"r1\"},\"autoFix\":false}}"))
        .isEqualTo(
            copy(
                "{\"imageId\":\"a\",\"options\":{\"imageHints\":{\"a\":\"r2\"},\"autoFix\":false}}"));
  }
}
