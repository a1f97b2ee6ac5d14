package io.quarry.agent.service;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.quarry.common.api.CheckReport;
import io.quarry.common.api.FixInfo;
import io.quarry.common.api.FixPage;
import io.quarry.common.api.FixQuery;
import io.quarry.common.api.ImageInfo;
import io.quarry.common.api.ImagePage;
import io.quarry.common.api.ImageQuery;
import io.quarry.common.api.Json;
import io.quarry.common.api.Problem;
import io.quarry.common.model.Limits;
import io.quarry.common.model.Strategy;
import io.quarry.common.model.Visibility;
import io.quarry.coordinator.log.LogState;
import io.quarry.coordinator.plan.CreateVirtualDisk;
import io.quarry.coordinator.plan.FailFix;
import io.quarry.coordinator.plan.FixState;
import io.quarry.coordinator.plan.RepositoryState;
import io.quarry.coordinator.plan.Request;
import io.quarry.coordinator.plan.Transaction;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/**
 * Case 12.21: a page of 800 images with 64 KiB of user data each took 52 MB, which ended the agent.
 */
final class ListingsTest {
  private static final int IMAGES = 800;

  /** Room for names, brackets and the next token around the entries of a page. */
  private static final long ENVELOPE_BYTES = 1024;

  private static final String LONG_TEXT = "x".repeat(Limits.USER_DATA_BYTES_MAX - 16);

  private static RepositoryState state(int images, ObjectNode userData) {
    RepositoryState state = RepositoryState.EMPTY;
    for (int i = 0; i < images; i++) {
      state =
          after(
              state,
              new CreateVirtualDisk(
                  "disk-%06d".formatted(i),
                  "volume-%06d".formatted(i),
                  512,
                  null,
                  null,
                  Strategy.SPACE,
                  true,
                  userData,
                  null));
    }
    return state;
  }

  private static RepositoryState after(RepositoryState state, Request request) {
    Transaction transaction = new Transaction(state, 1, Instant.EPOCH);
    request.plan(transaction);
    return transaction.state();
  }

  @Test
  void pagesOfLargeImagesAreLimitedInBytesAndHoldThemAll() throws Exception {
    ObjectNode large = JsonNodeFactory.instance.objectNode().put("a", LONG_TEXT);
    LogState state = new LogState(state(IMAGES, large), LogState.EMPTY.position());
    List<String> listed = new ArrayList<>();
    String after = null;
    do {
      ImageQuery query =
          new ImageQuery(null, null, Visibility.VISIBLE, null, after, ImageQuery.LIMIT_MAX, 0);
      ImagePage page = Listings.images(state, query, volume -> 0);
      assertThat(Json.bytes(page)).isLessThanOrEqualTo(Limits.PAGE_BYTES_MAX + ENVELOPE_BYTES);
      page.images().stream().map(ImageInfo::imageId).forEach(listed::add);
      after = page.next();
    } while (after != null);
    assertThat(listed).isEqualTo(List.copyOf(state.repository().images().keySet()));
  }

  @Test
  void pagesOfFixesAreLimitedInBytesAndHoldThemAll() throws Exception {
    RepositoryState state = state(IMAGES, JsonNodeFactory.instance.objectNode());
    String error = "\u0001".repeat(1_000);
    for (String fixId : List.copyOf(state.fixes().keySet())) {
      state = after(state, new FailFix(fixId, error));
    }
    List<String> listed = new ArrayList<>();
    String after = null;
    int pages = 0;
    do {
      FixPage page = fixes(state, new FixQuery(after, FixQuery.LIMIT_MAX, 0));
      assertThat(Json.bytes(page)).isLessThanOrEqualTo(Limits.PAGE_BYTES_MAX + ENVELOPE_BYTES);
      page.fixes().stream().map(FixInfo::fixId).forEach(listed::add);
      after = page.next();
      pages++;
    } while (after != null);
    assertThat(pages).isGreaterThan(1);
    assertThat(listed).isEqualTo(List.copyOf(new TreeSet<>(state.fixes().keySet())));
  }

  @Test
  void pageOfFixesHoldsAsManyAsAreAskedFor() {
    RepositoryState state = state(3, JsonNodeFactory.instance.objectNode());
    FixPage first = fixes(state, new FixQuery(null, 2, 0));
    assertThat(first.fixes()).hasSize(2);
    FixPage last = fixes(state, new FixQuery(first.next(), 2, 0));
    assertThat(last.fixes()).hasSize(1);
    assertThat(last.next()).isNull();
    assertThat(fixes(state, new FixQuery(null, 3, 0)).next()).isNull();
  }

  private static FixPage fixes(RepositoryState state, FixQuery query) {
    return Listings.page(Listings.turns(state, query), query, ListingsTest::info);
  }

  private static FixInfo info(FixState fix) {
    return new FixInfo(
        fix.id(),
        fix.type(),
        fix.imageId(),
        "queued",
        fix.type().priority(),
        fix.failures(),
        null,
        null,
        fix.lastError(),
        null,
        null);
  }

  @Test
  void reportOfACheckIsLimitedInBytesAndSaysWhatIsLeftOut() throws Exception {
    List<Problem> problems = Collections.nCopies(10_000, problem("x".repeat(1_000)));
    CheckReport report = CheckReport.of(List.of(), problems, null, 1);
    assertThat(Json.bytes(report)).isLessThanOrEqualTo(Limits.PAGE_BYTES_MAX + ENVELOPE_BYTES);
    assertThat(report.problems()).isNotEmpty();
    assertThat(report.omitted()).isEqualTo(10_000 - report.problems().size());
    @Nullable Integer none = CheckReport.of(List.of(), List.of(problem("")), null, 1).omitted();
    assertThat(none).isNull();
  }

  private static Problem problem(String reason) {
    return new Problem(Problem.Kind.FOREIGN_FILE, null, "file", reason, "see what it is");
  }
}
