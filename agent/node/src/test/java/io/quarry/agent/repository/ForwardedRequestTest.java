package io.quarry.agent.repository;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.common.model.Limits;
import io.quarry.coordinator.plan.PurgeVolume;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Cases 12.21 and 12.23: requests that any process can send to {@code /internal/v1/submit}. */
final class ForwardedRequestTest {
  private static final String PURGE =
      "{'operation':'purgeVolume','fixId':'clean-v1','volumeId':'v1'}";

  private static String forwarded(String requestId, String request) {
    return ("{'repositoryKey':'key','requestId':'" + requestId + "','request':" + request + "}")
        .replace('\'', '"');
  }

  private static ErrorCode refusal(String body) {
    return catchThrowableOfType(
            StorageException.class, () -> ForwardedRequest.read(body.getBytes(UTF_8)))
        .code();
  }

  @Test
  void requestOfAnAgentIsRead() {
    assertThat(ForwardedRequest.read(forwarded("r-1", PURGE).getBytes(UTF_8)))
        .isEqualTo(new ForwardedRequest("key", "r-1", null, new PurgeVolume("clean-v1", "v1")));
  }

  @Test
  void idThatIsAPathIsRefused() {
    String hostile = PURGE.replace("'v1'", "'../../../x'");
    assertThat(refusal(forwarded("r-1", hostile))).isEqualTo(ErrorCode.INVALID_ARGUMENT);
  }

  @Test
  void requestIdThatNoCallerMayGiveIsRefused() {
    assertThat(refusal(forwarded("x".repeat(129), PURGE))).isEqualTo(ErrorCode.INVALID_ARGUMENT);
    assertThat(refusal(forwarded("r 1", PURGE))).isEqualTo(ErrorCode.INVALID_ARGUMENT);
  }

  @Test
  void userDataNestedTooDeepIsRefused() {
    int depth = Limits.USER_DATA_DEPTH_MAX;
    String nested = "{'a':".repeat(depth) + "{}" + "}".repeat(depth);
    assertThat(
            refusal(
                forwarded(
                    "r-1", "{'operation':'setUserData','imageId':'i1','userData':" + nested + "}")))
        .isEqualTo(ErrorCode.INVALID_ARGUMENT);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "[]", "null", "{}", "{'requestId':'r-1'}", "{'request':{'operation':'x'}}"})
  void bodyThatIsNoRequestIsRefused(String body) {
    assertThat(refusal(body.replace('\'', '"'))).isEqualTo(ErrorCode.INVALID_ARGUMENT);
  }

  /**
   * The reader stops at the limit: a text that is nested deeply enough would overflow any stack.
   */
  @Test
  void anyJsonNestedTooDeepIsRefused() {
    assertThat(refusal(forwarded("r-1", "[".repeat(1_000_000))))
        .isEqualTo(ErrorCode.INVALID_ARGUMENT);
  }
}
