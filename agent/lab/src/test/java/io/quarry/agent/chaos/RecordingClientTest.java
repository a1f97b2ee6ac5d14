package io.quarry.agent.chaos;

import static org.assertj.core.api.Assertions.assertThat;

import io.quarry.agent.chaos.RecordingClient.Ask;
import io.quarry.agent.chaos.RecordingClient.Errand;
import io.quarry.common.api.Committed;
import io.quarry.common.api.ErrorCode;
import io.quarry.common.api.StorageException;
import io.quarry.common.client.StorageClient;
import io.quarry.common.model.ImageKind;
import java.net.URI;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Customers use keys of earlier calls for other calls, on purpose. */
final class RecordingClientTest {
  private static final String REPOSITORY = "main";

  /** Each call is about another image than the call before. */
  private static final int CALLS = 100;

  private final History history = new History(moment -> {});
  private final RecordingClient teller = new RecordingClient(history, new Random(1), "c");
  private final StorageClient unreachable =
      new StorageClient(List.of(URI.create("http://127.0.0.1:1")));
  private final Set<String> keys = new HashSet<>();
  private int reused;

  @AfterEach
  void close() {
    unreachable.close();
  }

  @Test
  void refusalOfAnotherCallUnderAKeyIsRight() {
    for (int number = 0; number < CALLS; number++) {
      remove(
          number,
          (api, requestId) -> {
            if (!keys.add(requestId)) {
              reused++;
              throw refusal(ErrorCode.REQUEST_ID_REUSED);
            }
            return new Committed(1);
          });
    }
    assertThat(reused).isPositive();
    assertThat(history.violations()).isEmpty();
  }

  @Test
  void answerToAnotherCallUnderAKeyIsSeen() {
    for (int number = 0; number < CALLS; number++) {
      remove(number, (api, requestId) -> new Committed(1));
    }
    assertThat(history.violations())
        .isNotEmpty()
        .allMatch(each -> each.contains("under the key of") && each.contains("was answered"));
  }

  @Test
  void otherRefusalOfAnotherCallUnderAKeyIsSeen() {
    for (int number = 0; number < CALLS; number++) {
      remove(
          number,
          (api, requestId) -> {
            if (!keys.add(requestId)) {
              throw refusal(ErrorCode.IMAGE_NOT_FOUND);
            }
            return new Committed(1);
          });
    }
    assertThat(history.violations()).isNotEmpty().allMatch(each -> each.contains("was refused"));
  }

  private void remove(int number, Ask ask) {
    Owned disk =
        new Owned(REPOSITORY, "disk-" + number, ImageKind.VIRTUAL_DISK, "maker", Content.zeros(1));
    teller.run(
        new Errand(
            "removeImage",
            REPOSITORY,
            List.of(disk),
            Set.of(),
            unreachable,
            false,
            ask,
            answer -> {}));
  }

  private static StorageException refusal(ErrorCode code) {
    return new StorageException(code, "no", "key", "use another one");
  }
}
