package io.quarry.agent.cli;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Aligned columns under headings; a heading that starts with {@code >} aligns to the right. */
final class Table {
  private static final String GAP = "  ";
  private static final String NOTHING = "-";

  private final List<String> headings;
  private final List<List<String>> rows = new ArrayList<>();

  Table(String... headings) {
    this.headings = List.of(headings);
  }

  /** Null and empty cells show as a dash, so that every line has the same number of words. */
  Table row(@Nullable Object... cells) {
    if (cells.length != headings.size()) {
      throw new IllegalArgumentException(cells.length + " cells for " + headings);
    }
    rows.add(Arrays.stream(cells).map(Table::text).toList());
    return this;
  }

  @Override
  public String toString() {
    List<List<String>> lines = new ArrayList<>();
    lines.add(headings.stream().map(Table::title).toList());
    lines.addAll(rows);
    StringBuilder text = new StringBuilder();
    for (List<String> line : lines) {
      StringBuilder one = new StringBuilder();
      for (int column = 0; column < headings.size(); column++) {
        one.append(column == 0 ? "" : GAP).append(aligned(lines, line, column));
      }
      text.append(one.toString().stripTrailing()).append('\n');
    }
    return text.toString();
  }

  private String aligned(List<List<String>> lines, List<String> line, int column) {
    int width = lines.stream().mapToInt(each -> each.get(column).length()).max().orElse(0);
    String padding = " ".repeat(width - line.get(column).length());
    boolean right = headings.get(column).startsWith(">");
    return right ? padding + line.get(column) : line.get(column) + padding;
  }

  private static String title(String heading) {
    return heading.startsWith(">") ? heading.substring(1) : heading;
  }

  private static String text(@Nullable Object cell) {
    String text = cell == null ? "" : cell.toString().replaceAll("\\p{Cntrl}", " ");
    return text.isEmpty() ? NOTHING : text;
  }
}
