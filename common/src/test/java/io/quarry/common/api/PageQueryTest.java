package io.quarry.common.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import io.quarry.common.model.Limits;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class PageQueryTest {
  private static final int ENVELOPE_BYTES = 64;

  private record Entry(String id, String text) {}

  private record Page(List<Entry> entries, @Nullable String next) {}

  private static List<Entry> entries(int count, int bytes) {
    return IntStream.range(0, count)
        .mapToObj(number -> new Entry("id-%03d".formatted(count - 1 - number), "x".repeat(bytes)))
        .toList();
  }

  private static Page page(List<Entry> all, @Nullable String after, int limit) {
    return new PageQuery(after, limit).of(all, Entry::id, Page::new);
  }

  @Test
  void pagesHoldAllInOrder() {
    List<Entry> all = entries(7, 1);
    Page first = page(all, null, 3);
    assertThat(first.entries()).extracting(Entry::id).containsExactly("id-000", "id-001", "id-002");
    assertThat(first.next()).isEqualTo("id-002");
    Page last = page(all, "id-003", 3);
    assertThat(last.entries()).extracting(Entry::id).containsExactly("id-004", "id-005", "id-006");
    assertThat(last.next()).isNull();
    assertThat(page(List.of(), null, 3)).isEqualTo(new Page(List.of(), null));
    // The last entry of the page before may be gone.
    assertThat(page(all, "id-0025", 1).entries()).extracting(Entry::id).containsExactly("id-003");
  }

  @Test
  void pagesAreLimitedInBytes() throws Exception {
    List<Entry> all = entries(11, 1 << 20);
    List<String> seen = new ArrayList<>();
    String after = null;
    do {
      Page page = page(all, after, PageQuery.LIMIT_MAX);
      assertThat(Json.bytes(page)).isLessThanOrEqualTo(Limits.PAGE_BYTES_MAX + ENVELOPE_BYTES);
      page.entries().forEach(entry -> seen.add(entry.id()));
      after = page.next();
    } while (after != null);
    assertThat(seen).hasSize(11).isSorted().doesNotHaveDuplicates();
  }

  @Test
  void entryThatIsTooLargeAloneIsAPage() {
    List<Entry> all = entries(2, (int) Limits.PAGE_BYTES_MAX);
    assertThat(page(all, null, 9).entries()).hasSize(1);
    assertThat(page(all, "id-000", 9).next()).isNull();
  }

  @Test
  void limitIsChecked() {
    for (int limit : new int[] {0, -1, PageQuery.LIMIT_MAX + 1}) {
      assertThatThrownBy(() -> new PageQuery(null, limit)).isInstanceOf(StorageException.class);
    }
  }
}
